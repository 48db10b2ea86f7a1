/** The golden corpus of the repository, for tests: its modules, its cases, and what a case compares. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..');
const golden = join(repository, 'tests', 'golden');

/** The binaries in a directory of the repository. */
export function modules(...path) {
  const directory = join(repository, ...path);
  const names = readdirSync(directory).filter((name) => name.endsWith('.mv'));
  return names.sort().map((name) => new Uint8Array(readFileSync(join(directory, name))));
}

function lines(...path) {
  const text = readFileSync(join(golden, ...path), 'utf8');
  return (
    text
      .split('\n')
      .filter((line) => line !== '')
      // Numbers that JavaScript cannot hold stay text.
      .map((line) => JSON.parse(line.replace(/("(?:code|sub_status)":)(\d{16,})/g, '$1"$2"')))
  );
}

/** All cases, plain ones as sequences of one step. */
export function cases() {
  const plain = lines('cases.jsonl').map((one) => ({ ...one, sequence: false, steps: [one] }));
  const sequences = [...lines('stateful.jsonl'), ...lines('bench', 'cases.jsonl')];
  return [...plain, ...sequences.map((one) => ({ ...one, sequence: true }))];
}

/** Recorded instruction counts and gas with the project's own library, by `id@version`. */
export function gas() {
  const own = lines('gas.jsonl').filter((line) => line.deps === 'own');
  return new Map(own.map((line) => [`${line.id}@${line.bytecode}`, line.steps]));
}

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const canonical = (type) => type.replaceAll(' ', '');

/** What happened, in a form that compares: an object of texts. */
export function seen(outcome, sequence) {
  if (!outcome.success) {
    const { status, statusCode, subStatus, location } = outcome.failure;
    return { failure: [status, statusCode, subStatus ?? null, location.module ?? null].join(' ') };
  }
  const value = ({ type, bcs }) => `${canonical(type)} ${hex(bcs)}`;
  return {
    values: outcome.values.map(value),
    mutable: outcome.mutableArguments.map((one) => `#${one.index} ${value(one.value)}`),
    ...(sequence
      ? {
          changes: outcome.changes
            .filter((one) => one.key.includes('/resource/'))
            .map(change)
            .sort(),
          events: outcome.events.map(value),
        }
      : {}),
  };
}

function change({ key, op, after }) {
  const [address, type] = key.split('/resource/');
  const word = { create: 'new', modify: 'modify', delete: 'delete' }[op];
  return `${word} ${address} ${canonical(type)} ${after ? hex(after) : ''}`.trim();
}

/** What must happen, in the same form. */
export function expected(expect, sequence, before) {
  if (expect.abort) {
    return { failure: ['ABORTED', 4016, expect.abort.code, expect.abort.module ?? null].join(' ') };
  }
  if (expect.error) {
    const { status, code, sub_status, module } = expect.error;
    return { failure: [status, code, sub_status ?? null, module ?? null].join(' ') };
  }
  const value = ({ type, bcs }) => `${canonical(type)} ${bcs}`;
  // A modify that changes nothing may be missing.
  const real = (expect.changes ?? []).filter((one) => one.op !== 'modify' || before(one) !== one.bcs);
  return {
    values: expect.returns.map(value),
    mutable: (expect.mut_args ?? []).map((one) => `#${one.index} ${value(one)}`),
    ...(sequence
      ? {
          changes: real
            .map(({ op, address, type, bcs }) => `${op} ${address} ${canonical(type)} ${bcs ?? ''}`.trim())
            .sort(),
          events: (expect.events ?? []).map(value),
        }
      : {}),
  };
}

/** The call that a step makes; `number` is its place in its sequence, from 1. */
export function request(step, number) {
  const transactionHash = new Uint8Array(32);
  new DataView(transactionHash.buffer).setBigUint64(0, BigInt(number), true);
  return {
    function: step.function,
    typeArguments: step.type_args,
    args: step.args.map((text) => ({ text })),
    signers: step.signers,
    gasLimit: (1n << 63n) - 1n,
    transactionHash,
  };
}

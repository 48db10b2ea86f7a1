/** The fields of the argument form: text as a person writes it, to what the machine takes; and what is wrong with it. */

import type { Argument, ValueInput } from 'monomove';

export type Parsed = { readonly ok: true; readonly value: Argument } | { readonly ok: false; readonly message: string };

/** The type of the value that a parameter takes: of a reference, what it refers to. */
export function valueType(type: string): string {
  return type.replace(/^&\s*(mut\s+)?/, '');
}

/** Whether a parameter is filled by the signers of the call. */
export function isSigner(type: string): boolean {
  return valueType(type) === 'signer';
}

const INTEGER = /^([ui])(8|16|32|64|128|256)$/;

function fail(message: string): Parsed {
  return { ok: false, message };
}

/** Lowest and highest value of an integer type. */
export function integerRange(type: string): readonly [bigint, bigint] | undefined {
  const match = INTEGER.exec(type);
  if (match === null) return undefined;
  const bits = BigInt(match[2] ?? '0');
  return match[1] === 'u' ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

function parseInteger(type: string, text: string, [low, high]: readonly [bigint, bigint]): Parsed {
  const digits = text.replace(/_/g, '').replace(new RegExp(`${type}$`), '');
  if (!/^-?(\d+|0[xX][0-9a-fA-F]+)$/.test(digits)) return fail(`a ${type}: digits expected`);
  const value = digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits);
  if (value < low || value > high) return fail(`a ${type} is ${low} to ${high}`);
  return { ok: true, value: value.toString() };
}

/** What a field stands for. `type` is that of the parameter, with type arguments filled in. */
export function parseArgument(type: string, input: string): Parsed {
  const of = valueType(type);
  const text = input.trim();
  if (/^bcs:/.test(text)) {
    const digits = text.slice(4).replace(/^0x/, '');
    return /^([0-9a-fA-F]{2})*$/.test(digits)
      ? { ok: true, value: { bcs: Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)) } }
      : fail('bcs: pairs of hexadecimal digits expected');
  }
  const range = integerRange(of);
  if (range !== undefined) return parseInteger(of, text, range);
  if (of === 'bool') {
    return text === 'true' || text === 'false' ? { ok: true, value: text === 'true' } : fail('true or false expected');
  }
  if (of === 'address' || of === 'signer') {
    const address = text.replace(/^@/, '');
    return /^0x[0-9a-fA-F]{1,64}$/.test(address)
      ? { ok: true, value: address.toLowerCase() }
      : fail('an address: 0x and 1 to 64 digits');
  }
  if (of === '0x1::string::String') return { ok: true, value: unquote(input) };
  if (of === 'vector<u8>' && !text.startsWith('[')) {
    if (/^0x([0-9a-fA-F]{2})*$/.test(text)) return { ok: true, value: text };
    const quoted = /^b?"(.*)"$/s.exec(text);
    if (quoted !== null) return { ok: true, value: new TextEncoder().encode(quoted[1] ?? '') };
    return fail('bytes: 0x…, "text" or [1, 2, …] expected');
  }
  return parseStructured(of, text);
}

function unquote(input: string): string {
  const quoted = /^\s*"(.*)"\s*$/s.exec(input);
  return quoted === null ? input : (quoted[1] ?? '');
}

function parseStructured(type: string, text: string): Parsed {
  const form = type.startsWith('vector<')
    ? '[…]'
    : type.startsWith('0x1::option::')
      ? 'null or a value'
      : '{ "field": … }';
  try {
    // Numbers become text, so that those above 2^53 keep their digits.
    const exact = text.replace(
      /("(?:[^"\\]|\\.)*")|(-?\d[\d_]*(?:[ui]\d+)?)|@?(0x[0-9a-fA-F]+)/g,
      (_, quoted, number, address) =>
        quoted !== undefined ? quoted : `"${number !== undefined ? number.replace(/_|[ui]\d+$/g, '') : address}"`,
    );
    const value = JSON.parse(exact) as ValueInput;
    if (type.startsWith('vector<') && !Array.isArray(value)) return fail(`a ${type}: […] expected`);
    return { ok: true, value };
  } catch {
    return fail(`${form} as JSON, or bcs:0x…`);
  }
}

/** A value to begin with. */
export function defaultArgument(type: string): string {
  const of = valueType(type);
  if (integerRange(of) !== undefined) return '0';
  if (of === 'bool') return 'false';
  if (of === 'address' || of === 'signer') return '0xa1';
  if (of === 'vector<u8>') return '0x';
  if (of.startsWith('vector<')) return '[]';
  if (of === '0x1::string::String') return '';
  if (of.startsWith('0x1::option::Option<')) return 'null';
  return '{}';
}

/** `T0`, `T1`, … replaced by type arguments; those that are missing stay. */
export function substitute(type: string, typeArguments: readonly string[]): string {
  return type.replace(/\bT(\d+)\b/g, (name, index) => typeArguments[Number(index)]?.trim() || name);
}

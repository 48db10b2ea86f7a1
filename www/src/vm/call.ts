/** From the call form to a call: which fields a function has, and what is wrong with what is in them. */

import type { Address, Argument, CallRequest, FunctionAbi } from 'monomove';
import { defaultArgument, isSigner, parseArgument, substitute } from '../lib/arguments';
import type { CallSpec } from './program';

/** The fields of a call form. */
export interface CallFields {
  readonly typeParameters: readonly string[];
  /** Number of leading signers. */
  readonly signers: number;
  /** Types of the other parameters, type arguments filled in. */
  readonly parameters: readonly string[];
}

export function fieldsOf(fn: FunctionAbi, typeArguments: readonly string[]): CallFields {
  const signers = fn.parameters.findIndex((type) => !isSigner(type));
  const leading = signers < 0 ? fn.parameters.length : signers;
  return {
    typeParameters: fn.typeParameters.map(
      (p, i) => `T${i}${p.constraints.length > 0 ? `: ${p.constraints.join(' + ')}` : ''}`,
    ),
    signers: leading,
    parameters: fn.parameters.slice(leading).map((type) => substitute(type, typeArguments)),
  };
}

const SIGNERS = ['0xa1', '0xb2', '0xc3'];

/** A call of a function with values to begin with. */
export function defaultCall(module: string, fn: FunctionAbi): CallSpec {
  const typeArguments = fn.typeParameters.map(() => 'u64');
  const fields = fieldsOf(fn, typeArguments);
  return {
    function: `${module}::${fn.name}`,
    typeArguments,
    signers: Array.from({ length: fields.signers }, (_, i) => SIGNERS[i % SIGNERS.length] ?? '0xa1'),
    args: fields.parameters.map(defaultArgument),
  };
}

/** A field that cannot be read. */
export interface FieldProblem {
  readonly field: 'type' | 'signer' | 'argument';
  readonly index: number;
  readonly message: string;
}

export type Prepared =
  | { readonly ok: true; readonly request: CallRequest }
  | { readonly ok: false; readonly problems: readonly FieldProblem[] };

/** The call that a form stands for. */
export function prepare(spec: CallSpec, fn: FunctionAbi, gasLimit: bigint): Prepared {
  const problems: FieldProblem[] = [];
  const fields = fieldsOf(fn, spec.typeArguments);
  fields.typeParameters.forEach((_, index) => {
    if ((spec.typeArguments[index] ?? '').trim() === '') problems.push({ field: 'type', index, message: 'a type' });
  });
  const signers: Address[] = [];
  for (let index = 0; index < fields.signers; index += 1) {
    const text = (spec.signers[index] ?? '').trim().replace(/^@/, '');
    if (/^0x[0-9a-fA-F]{1,64}$/.test(text)) signers.push(text as Address);
    else problems.push({ field: 'signer', index, message: 'an address: 0x and 1 to 64 digits' });
  }
  const args: Argument[] = [];
  fields.parameters.forEach((type, index) => {
    const parsed = parseArgument(type, spec.args[index] ?? '');
    if (parsed.ok) args.push(parsed.value);
    else problems.push({ field: 'argument', index, message: parsed.message });
  });
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    request: {
      function: spec.function,
      typeArguments: spec.typeArguments.slice(0, fn.typeParameters.length).map((type) => type.trim()),
      args,
      signers,
      gasLimit,
    },
  };
}

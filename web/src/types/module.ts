/** Modules: decode, disassemble, assemble, verify, ABI, encoding of arguments. */

import type { Argument, TypedValue, TypeText, Value, ValueLimits } from './values.js';

export type Ability = 'copy' | 'drop' | 'store' | 'key';

/** A type parameter: the abilities its arguments must have. */
export interface TypeParameterAbi {
  readonly constraints: readonly Ability[];
  /** Of a struct: unused in its fields but for types. */
  readonly phantom: boolean;
}

export interface FunctionAbi {
  readonly name: string;
  /** Definition index in the module. */
  readonly index: number;
  readonly visibility: 'private' | 'friend' | 'public';
  readonly entry: boolean;
  readonly native: boolean;
  /** `#[view]` attributes are not in the bytecode: functions that return something, change nothing and take no signer qualify. */
  readonly typeParameters: readonly TypeParameterAbi[];
  /** Types of the parameters, type parameters as `T0`, `T1`, … */
  readonly parameters: readonly TypeText[];
  readonly returns: readonly TypeText[];
  /** Instructions; 0 for a native function. */
  readonly instructions: number;
}

export interface FieldAbi {
  readonly name: string;
  readonly type: TypeText;
}

export interface StructAbi {
  readonly name: string;
  readonly abilities: readonly Ability[];
  readonly typeParameters: readonly TypeParameterAbi[];
  /** Fields of a struct; empty for an enum or a native struct. */
  readonly fields: readonly FieldAbi[];
  /** Variants of an enum, in order; absent for a struct. */
  readonly variants?: readonly { readonly name: string; readonly fields: readonly FieldAbi[] }[];
}

export interface ModuleAbi {
  /** `0x1::m`. */
  readonly id: string;
  readonly address: string;
  readonly name: string;
  /** Version of the binary format. */
  readonly bytecodeVersion: number;
  readonly friends: readonly string[];
  readonly dependencies: readonly string[];
  readonly functions: readonly FunctionAbi[];
  readonly structs: readonly StructAbi[];
}

/** A line of a listing and what it stands for. */
export interface ListingLine {
  readonly text: string;
  /** Definition index of the function that the line belongs to. */
  readonly function?: number;
  /** Code offset, on lines that show an instruction. */
  readonly offset?: number;
}

/** A disassembly with links from its lines to instructions. */
export interface Listing {
  readonly text: string;
  readonly lines: readonly ListingLine[];
}

/** An error of the assembler, for the margin of an editor. */
export interface AssemblyDiagnostic {
  readonly message: string;
  /** Line and column, from 1. */
  readonly line: number;
  readonly column: number;
  /** UTF-16 offsets in the source: `source.slice(start, end)` is what is meant. */
  readonly start: number;
  readonly end: number;
}

export type AssemblyResult =
  | { readonly ok: true; readonly kind: 'module' | 'script'; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly diagnostics: readonly AssemblyDiagnostic[] };

/** Where a binary is wrong. */
export interface FormatProblem {
  readonly status: string;
  readonly statusCode: number;
  readonly message: string;
  /** Byte offset in the file. */
  readonly byte?: number;
  /** Definition index of a function, and code offset in it. */
  readonly function?: number;
  readonly offset?: number;
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly problem: FormatProblem };

export interface AssembleOptions {
  /** Bytecode version to write. Default: what a listing says, else the newest. */
  readonly version?: number;
  /** Modules whose structs and functions the text uses. */
  readonly dependencies?: readonly Uint8Array[];
}

/** A decoded module (or script). It holds bytes only: nothing has to be freed. */
export interface ModuleApi {
  readonly bytes: Uint8Array;
  readonly kind: 'module' | 'script';
  /** `0x1::m`; of a script: `script`. */
  readonly id: string;
  /** Functions, structs, abilities. */
  readonly abi: ModuleAbi;
  /** The disassembly, each instruction linked to its code offset. */
  disassemble(): Listing;
  /** Assembler text that {@link Module.assemble} turns back into the same module. */
  toAssembly(): string;
  /** Whether the bytes pass the bounds checks and the bytecode verifier. */
  verify(): Verdict;
  /** Arguments of `function` (signers left out) as BCS. `typeArguments` replace the function's type parameters. */
  encodeArgs(fn: string, args: readonly Argument[], typeArguments?: readonly TypeText[]): Uint8Array[];
  /** BCS as a value. Structs of this module decode; structs of others come out as `undecoded`: `Chain.decodeValue` knows all. */
  decodeValue(type: TypeText, bcs: Uint8Array, limits?: ValueLimits): Value;
}

/** Static side of `Module`. */
export interface ModuleConstructor {
  /** Reads a binary; throws `FormatError` if it is neither a module nor a script. */
  decode(bytes: Uint8Array): ModuleApi;
  /** Assembles text. Errors are a result, not an exception. */
  assemble(source: string, options?: AssembleOptions): AssemblyResult;
}

export type { TypedValue };

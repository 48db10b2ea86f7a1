/** Modules and scripts as data. */

import { enter, instanceNumber } from './engine.js';
import type {
  AssembleOptions,
  AssemblyDiagnostic,
  AssemblyResult,
  Listing,
  ModuleAbi,
  ModuleApi,
  Verdict,
} from './types/module.js';
import type { Argument, TypeText, Value, ValueLimits } from './types/values.js';

interface RawDiagnostic {
  readonly message: string;
  readonly line: number;
  readonly column: number;
  /** In characters, as the column is. */
  readonly width: number;
}

/** UTF-16 length of the first `count` characters of `text`. */
function utf16(text: string, count: number): number {
  let length = 0;
  for (const character of text) {
    if (count <= 0) break;
    count -= 1;
    length += character.length;
  }
  return length;
}

function placed(source: string, diagnostics: readonly RawDiagnostic[]): AssemblyDiagnostic[] {
  const lines = source.split('\n');
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length + 1);
  return diagnostics.map(({ message, line, column, width }) => {
    const text = lines[line - 1] ?? '';
    const start = (starts[line - 1] ?? source.length) + utf16(text, column - 1);
    const end = Math.min(start + utf16(text.slice(utf16(text, column - 1)), width), source.length);
    return { message, line, column, start: Math.min(start, source.length), end };
  });
}

/** A decoded module or script. It holds bytes only: nothing has to be freed. */
export class Module implements ModuleApi {
  readonly bytes: Uint8Array;
  readonly kind: 'module' | 'script';
  readonly abi: ModuleAbi;

  private constructor(bytes: Uint8Array, kind: 'module' | 'script', abi: ModuleAbi) {
    this.bytes = bytes;
    this.kind = kind;
    this.abi = abi;
  }

  /** Reads a binary; throws `FormatError` if it is neither a module nor a script. */
  static decode(bytes: Uint8Array): Module {
    const { kind, abi } = enter(instanceNumber(), (engine) => engine.moduleDecode(bytes));
    return new Module(bytes, kind, abi);
  }

  /** Assembles text. Errors are a result, not an exception. */
  static assemble(source: string, options: AssembleOptions = {}): AssemblyResult {
    const result = enter(instanceNumber(), (engine) =>
      engine.moduleAssemble(source, options.version, options.dependencies),
    );
    return result.ok ? result : { ok: false, diagnostics: placed(source, result.diagnostics) };
  }

  get id(): string {
    return this.abi.id;
  }

  disassemble(): Listing {
    return enter(instanceNumber(), (engine) => engine.moduleListing(this.bytes));
  }

  toAssembly(): string {
    return enter(instanceNumber(), (engine) => engine.moduleAssembly(this.bytes));
  }

  verify(): Verdict {
    return enter(instanceNumber(), (engine) => engine.moduleVerify(this.bytes));
  }

  encodeArgs(fn: string, args: readonly Argument[], typeArguments: readonly TypeText[] = []): Uint8Array[] {
    return enter(instanceNumber(), (engine) => engine.moduleEncodeArgs(this.bytes, fn, args, typeArguments));
  }

  decodeValue(type: TypeText, bcs: Uint8Array, limits: ValueLimits = {}): Value {
    return enter(instanceNumber(), (engine) => engine.moduleDecodeValue(this.bytes, type, bcs, limits));
  }
}

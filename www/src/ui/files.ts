/** Files that are opened or dropped: which of them make a module. */

import { readSourceMap } from '../lib/sourcemap';
import type { ProgramModule } from '../vm/program';

export interface OpenedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Sorted {
  readonly modules: readonly ProgramModule[];
  /** Assembler text. */
  readonly assembly: string | undefined;
  /** Names of files that are nothing of ours. */
  readonly unknown: readonly string[];
  /** Maps and sources without their module among the files, by module id (`undefined`: not known). */
  readonly loose: readonly { readonly id: string | undefined; readonly source?: string; readonly map?: Uint8Array }[];
}

function stem(name: string): string {
  return name.replace(/\.\w+$/, '');
}

/** Sorts files by their endings; a source and a map belong to the binary of the same name. Files without an ending that is known are taken for binaries. */
export function sortFiles(files: readonly OpenedFile[]): Sorted {
  const texts = new Map<string, string>();
  const maps = new Map<string, Uint8Array>();
  const binaries: OpenedFile[] = [];
  const unknown: string[] = [];
  let assembly: string | undefined;
  const decoder = new TextDecoder();
  for (const file of files) {
    const ending = /\.(\w+)$/.exec(file.name)?.[1]?.toLowerCase();
    if (ending === 'move') texts.set(stem(file.name), decoder.decode(file.bytes));
    else if (ending === 'mvsm') maps.set(stem(file.name), file.bytes);
    else if (ending === 'masm') assembly = decoder.decode(file.bytes);
    else if (ending === 'mv' || ending === 'bin' || ending === undefined) binaries.push(file);
    else unknown.push(file.name);
  }
  const modules = binaries.map((file): ProgramModule => {
    const source = texts.get(stem(file.name));
    const map = maps.get(stem(file.name));
    texts.delete(stem(file.name));
    maps.delete(stem(file.name));
    return { bytes: file.bytes, ...(source === undefined ? {} : { source }), ...(map === undefined ? {} : { map }) };
  });
  const loose = [...new Set([...texts.keys(), ...maps.keys()])].map((name) => {
    const source = texts.get(name);
    const map = maps.get(name);
    return { id: idOf(map), ...(source === undefined ? {} : { source }), ...(map === undefined ? {} : { map }) };
  });
  return { modules, assembly, unknown, loose };
}

function idOf(map: Uint8Array | undefined): string | undefined {
  if (map === undefined) return undefined;
  try {
    return readSourceMap(map).module;
  } catch {
    return undefined;
  }
}

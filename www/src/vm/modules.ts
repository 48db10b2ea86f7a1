/** Decoded modules with their sources: those of the program, and those of the framework when the call comes to them. */

import type { FunctionAbi, RemoteModule } from 'monomove';
import { type FunctionMap, instructionsByLine, readSourceMap, type SourceMap, SourceText } from '../lib/sourcemap';
import type { ProgramModule } from './program';

export interface ModuleSource {
  readonly text: SourceText;
  readonly map: SourceMap | undefined;
  /** Line (from 0) to the first instruction that comes from it. */
  readonly instructions: ReadonlyMap<number, readonly [number, number]>;
}

export interface LoadedModule {
  readonly id: string;
  readonly remote: RemoteModule;
  readonly source: ModuleSource | undefined;
  /** What is wrong with the source map, if it is given and cannot be used. */
  readonly sourceProblem: string | undefined;
  readonly assembled: boolean;
}

async function sha256(text: string): Promise<string> {
  // Only secure contexts have it (https, localhost); elsewhere the check is left out.
  if (globalThis.crypto?.subtle === undefined) return '';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A source with its map, if the two belong together. */
export async function linkSource(
  text: string,
  map: Uint8Array | undefined,
): Promise<{ readonly source: ModuleSource; readonly problem: string | undefined }> {
  const source = new SourceText(text);
  const alone = { text: source, map: undefined, instructions: new Map() };
  if (map === undefined) return { source: alone, problem: undefined };
  let read: SourceMap;
  try {
    read = readSourceMap(map);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { source: alone, problem: `The source map cannot be read: ${why}.` };
  }
  const hash = await sha256(text);
  if (hash !== '' && hash !== read.hash) {
    return { source: alone, problem: 'The source map belongs to another version of this source.' };
  }
  return { source: { text: source, map: read, instructions: instructionsByLine(read, source) }, problem: undefined };
}

/** A decoded module with what the program knows of its source. */
export async function loadModule(remote: RemoteModule, from: ProgramModule): Promise<LoadedModule> {
  const base = { id: remote.id, remote, assembled: from.assembled === true };
  if (from.source === undefined) return { ...base, source: undefined, sourceProblem: undefined };
  const { source, problem } = await linkSource(from.source, from.map);
  return { ...base, source, sourceProblem: problem };
}

/** The source map's entry of a function. */
export function functionMap(source: ModuleSource | undefined, definition: number): FunctionMap | undefined {
  return source?.map?.functions.get(definition);
}

/** A function of a module by its name. */
export function findFunction(module: RemoteModule, name: string): FunctionAbi | undefined {
  return module.abi.functions.find((fn) => fn.name === name);
}

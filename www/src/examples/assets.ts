/** The modules that come with the playground: bytecode, source and source map, fetched when they are needed. */

import type { Asset } from '../lib/share';
import { linkSource, type ModuleSource } from '../vm/modules';
import type { ProgramModule } from '../vm/program';

type Urls = Readonly<Record<string, string>>;

const CODE: Urls = {
  ...import.meta.glob<string>('../../../tests/stdlib/bytecode/v8/examples/*.mv', {
    query: '?url',
    import: 'default',
    eager: true,
  }),
  ...import.meta.glob<string>('../../../tests/golden/bytecode/v8/{locks,lockuser}.mv', {
    query: '?url',
    import: 'default',
    eager: true,
  }),
};
const MAPS: Urls = {
  ...import.meta.glob<string>('../../../tests/stdlib/bytecode/v8/*/*.mvsm', {
    query: '?url',
    import: 'default',
    eager: true,
  }),
  ...import.meta.glob<string>('../../../tests/golden/bytecode/v8/{locks,lockuser}.mvsm', {
    query: '?url',
    import: 'default',
    eager: true,
  }),
};
const SOURCES: Urls = {
  ...import.meta.glob<string>('../../../tests/stdlib/sources/{std,framework,examples}/*.move', {
    query: '?url',
    import: 'default',
    eager: true,
  }),
  ...import.meta.glob<string>('../../../tests/golden/sources/{locks,lockuser}.move', {
    query: '?url',
    import: 'default',
    eager: true,
  }),
};

/** By file name without its ending. No name is there twice. */
function byName(urls: Urls): ReadonlyMap<string, string> {
  return new Map(Object.entries(urls).map(([path, at]) => [path.replace(/^.*\/|\.\w+$/g, ''), at]));
}

const code = byName(CODE);
const maps = byName(MAPS);
const sources = byName(SOURCES);

async function get(at: string | undefined): Promise<Uint8Array | undefined> {
  if (at === undefined) return undefined;
  const response = await fetch(at);
  if (!response.ok) throw new Error(`${at}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Source and map of a module that comes with the playground. */
export async function loadAsset(name: string): Promise<Asset | undefined> {
  const [source, map] = await Promise.all([get(sources.get(name)), get(maps.get(name))]);
  return source === undefined || map === undefined ? undefined : { source: new TextDecoder().decode(source), map };
}

/** A module of an example, complete. */
export async function loadExampleModule(name: string): Promise<ProgramModule> {
  const [bytes, asset] = await Promise.all([get(code.get(name)), loadAsset(name)]);
  if (bytes === undefined) throw new Error(`there is no module ${name}`);
  return { bytes, asset: name, ...(asset === undefined ? {} : { source: asset.source, map: asset.map }) };
}

/** The source of a module of the framework that every chain has. */
export async function frameworkSource(moduleId: string): Promise<ModuleSource | undefined> {
  const name = /^0x1::(\w+)$/.exec(moduleId)?.[1];
  const asset = name === undefined ? undefined : await loadAsset(name);
  if (asset === undefined) return undefined;
  const { source } = await linkSource(asset.source, asset.map);
  return source.map?.module === moduleId ? source : undefined;
}

/** Share links: a program, a position and the panes in the fragment of an address. Nothing is sent anywhere. */

import type { CallSpec, Config, Program, ProgramModule } from '../vm/program';
import { DEFAULT_CONFIG, MAX_STEPS } from '../vm/program';
import { DEFAULT_VIEW, DOCK_TABS, LOWERING_MODES, type View } from '../vm/view';
import { fromBase64Url, toBase64Url } from './hex';

export interface Shared {
  readonly program: Program;
  readonly step: number;
  readonly breakpoints: readonly string[];
  readonly view: View;
  /** Version of the package `monomove` that the link was made with. */
  readonly engine: string;
}

/** Source text and source map of a built-in module, by name: links need not carry them. */
export interface Asset {
  readonly source: string;
  readonly map: Uint8Array;
}
export type Assets = (name: string) => Promise<Asset | undefined>;

/** A link that cannot be read. */
export class ShareError extends Error {
  override readonly name = 'ShareError';
}

const PREFIX = '#1.';
/** Bound on what a link may unfold to. */
const MAX_BYTES = 8 * 1024 * 1024;

/** The fragment of a link. */
export async function encodeShare(shared: Shared): Promise<string> {
  const blobs: Uint8Array[] = [];
  const blob = (bytes: Uint8Array): number => {
    blobs.push(bytes);
    return bytes.length;
  };
  const { modules, ...program } = shared.program;
  const header = {
    engine: shared.engine,
    step: shared.step,
    breakpoints: shared.breakpoints,
    view: shared.view,
    program,
    modules: modules.map((module) => ({
      bytes: blob(module.bytes),
      ...(module.assembled === true ? { assembled: true } : {}),
      ...(module.asset !== undefined
        ? { asset: module.asset }
        : {
            ...(module.source !== undefined ? { source: module.source } : {}),
            ...(module.map !== undefined ? { map: blob(module.map) } : {}),
          }),
    })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const plain = new Uint8Array(4 + text.length + blobs.reduce((sum, bytes) => sum + bytes.length, 0));
  new DataView(plain.buffer).setUint32(0, text.length, true);
  plain.set(text, 4);
  let at = 4 + text.length;
  for (const bytes of blobs) {
    plain.set(bytes, at);
    at += bytes.length;
  }
  return PREFIX + toBase64Url(await pump(plain, new CompressionStream('deflate-raw'), Number.POSITIVE_INFINITY));
}

/** What a fragment carries; `undefined` if it is no link of ours. Throws {@link ShareError} for a broken one. */
export async function decodeShare(fragment: string, assets: Assets): Promise<Shared | undefined> {
  if (!fragment.startsWith(PREFIX)) {
    if (/^#\d+\./.test(fragment)) throw new ShareError('The link was made by a newer playground.');
    return undefined;
  }
  const packed = fromBase64Url(fragment.slice(PREFIX.length));
  if (packed === undefined) throw new ShareError('The link is damaged: it is not base64url.');
  let plain: Uint8Array;
  try {
    plain = await pump(packed, new DecompressionStream('deflate-raw'), MAX_BYTES);
  } catch (error) {
    throw error instanceof ShareError ? error : new ShareError('The link is damaged: it does not unpack.');
  }
  if (plain.length < 4) throw new ShareError('The link is damaged: it is too short.');
  const length = new DataView(plain.buffer, plain.byteOffset).getUint32(0, true);
  if (length > plain.length - 4) throw new ShareError('The link is damaged: its header is cut off.');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain.subarray(4, 4 + length)));
  } catch {
    throw new ShareError('The link is damaged: its header is no JSON.');
  }
  return read(object(header), plain.subarray(4 + length), assets);
}

async function pump(
  bytes: Uint8Array,
  through: { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<BufferSource> },
  limit: number,
): Promise<Uint8Array> {
  const writer = through.writable.getWriter();
  const writing = writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => writer.close());
  // A failure of the stream also arrives at the reader, where it is handled.
  writing.catch(() => undefined);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = through.readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      throw new ShareError('The link unpacks to too much.');
    }
    chunks.push(value);
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

type Json = { readonly [key: string]: unknown };

function object(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ShareError('The link is damaged: an object is missing.');
  }
  return value as Json;
}

function array<T>(value: unknown, element: (value: unknown) => T): T[] {
  return Array.isArray(value) ? value.map(element) : [];
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function natural(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
}

function oneOf<T extends string>(values: readonly T[], value: unknown, otherwise: T): T {
  return values.find((v) => v === value) ?? otherwise;
}

function call(value: unknown): CallSpec {
  const from = object(value);
  return {
    function: string(from.function),
    typeArguments: array(from.typeArguments, string),
    signers: array(from.signers, string),
    args: array(from.args, string),
  };
}

function config(value: unknown): Config {
  const from = object(value ?? {});
  const gasLimit = string(from.gasLimit);
  return {
    gasLimit: /^\d{1,19}$/.test(gasLimit) ? gasLimit : DEFAULT_CONFIG.gasLimit,
    heapBytes: Math.min(natural(from.heapBytes, DEFAULT_CONFIG.heapBytes), DEFAULT_CONFIG.heapBytes),
    maxSteps: Math.min(natural(from.maxSteps, DEFAULT_CONFIG.maxSteps), MAX_STEPS),
    framework: from.framework !== false,
  };
}

async function read(header: Json, blobs: Uint8Array, assets: Assets): Promise<Shared> {
  let at = 0;
  const blob = (length: unknown): Uint8Array => {
    const size = natural(length, -1);
    if (size < 0 || size > blobs.length - at) throw new ShareError('The link is damaged: a module is cut off.');
    at += size;
    return blobs.slice(at - size, at);
  };
  const modules: ProgramModule[] = [];
  for (const entry of array(header.modules, object)) {
    const bytes = blob(entry.bytes);
    const name = string(entry.asset);
    const asset = name === '' ? undefined : await assets(name);
    const source = asset?.source ?? (typeof entry.source === 'string' ? entry.source : undefined);
    const map = asset?.map ?? (entry.map === undefined ? undefined : blob(entry.map));
    modules.push({
      bytes,
      ...(asset === undefined ? {} : { asset: name }),
      ...(source === undefined ? {} : { source }),
      ...(map === undefined ? {} : { map }),
      ...(entry.assembled === true ? { assembled: true } : {}),
    });
  }
  const program = object(header.program);
  const view = object(header.view ?? {});
  return {
    engine: string(header.engine),
    step: natural(header.step, 0),
    breakpoints: array(header.breakpoints, string),
    view: {
      source: view.source !== false,
      bytecode: view.bytecode !== false,
      dock: oneOf(DOCK_TABS, view.dock, DEFAULT_VIEW.dock),
      lowering: oneOf(LOWERING_MODES, view.lowering, DEFAULT_VIEW.lowering),
    },
    program: {
      title: string(program.title),
      ...(typeof program.note === 'string' ? { note: program.note } : {}),
      modules,
      fund: array(program.fund, (f) => ({ address: string(object(f).address), amount: string(object(f).amount) })),
      setup: array(program.setup, call),
      call: call(program.call),
      config: config(program.config),
      ...(typeof program.assembly === 'string' ? { assembly: program.assembly } : {}),
    },
  };
}

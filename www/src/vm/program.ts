/** What is run: modules, the calls before, the call that is stepped through, and its limits. Plain data; a share link carries all of it. */

export interface ProgramModule {
  readonly bytes: Uint8Array;
  /** Name of the built-in asset that the source and the map come from. */
  readonly asset?: string;
  /** Move source. */
  readonly source?: string;
  /** Source map (`.mvsm`). */
  readonly map?: Uint8Array;
  /** It was made by the assembly editor, which replaces it. */
  readonly assembled?: boolean;
}

/** A call as the form has it: arguments are text, read by the types of the parameters. */
export interface CallSpec {
  /** `0x1::m::f`; empty if nothing is chosen. */
  readonly function: string;
  readonly typeArguments: readonly string[];
  readonly signers: readonly string[];
  readonly args: readonly string[];
}

export interface Config {
  /** Internal gas of the call, decimal. */
  readonly gasLimit: string;
  readonly heapBytes: number;
  readonly maxSteps: number;
  /** The framework and genesis are there. */
  readonly framework: boolean;
}

export interface Program {
  readonly title: string;
  /** What to look at. */
  readonly note?: string;
  readonly modules: readonly ProgramModule[];
  /** Native coins minted before. */
  readonly fund: readonly { readonly address: string; readonly amount: string }[];
  /** Calls that are run before, each on the changes of those before it. */
  readonly setup: readonly CallSpec[];
  readonly call: CallSpec;
  readonly config: Config;
  /** Text of the assembly editor. */
  readonly assembly?: string;
}

export const DEFAULT_CONFIG: Config = {
  gasLimit: '20000000000',
  heapBytes: 64 * 1024 * 1024,
  maxSteps: 1 << 20,
  framework: true,
};

/** Steps of the longest recording; what a step takes is some hundred bytes. */
export const MAX_STEPS = 1 << 21;

export const NO_CALL: CallSpec = { function: '', typeArguments: [], signers: [], args: [] };

export const EMPTY_PROGRAM: Program = {
  title: 'Untitled',
  modules: [],
  fund: [],
  setup: [],
  call: NO_CALL,
  config: DEFAULT_CONFIG,
};

/** `0x1::m::f` in its parts. */
export function splitFunction(name: string): { readonly module: string; readonly function: string } | undefined {
  const match = /^(0x[0-9a-fA-F]+::\w+)::([\w$]+)$/.exec(name);
  return match === null ? undefined : { module: match[1] ?? '', function: match[2] ?? '' };
}

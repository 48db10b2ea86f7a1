/** Programs that work at once. */

import { type CallSpec, type Config, DEFAULT_CONFIG, NO_CALL, type Program } from '../vm/program';
import { DEFAULT_VIEW, type View } from '../vm/view';
import { loadExampleModule } from './assets';
import counterfeit from './counterfeit.masm?raw';

export interface Example {
  readonly id: string;
  readonly title: string;
  /** Where it opens. */
  readonly step: number;
  readonly view: View;
  readonly load: () => Promise<Program>;
}

interface Recipe {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly modules: readonly string[];
  readonly call: Partial<CallSpec> & { readonly function: string };
  readonly setup?: readonly (Partial<CallSpec> & { readonly function: string })[];
  readonly fund?: Program['fund'];
  readonly config?: Partial<Config>;
  readonly view?: Partial<View>;
  readonly step?: number;
}

function call(spec: Partial<CallSpec> & { readonly function: string }): CallSpec {
  return { ...NO_CALL, ...spec };
}

function example(recipe: Recipe): Example {
  return {
    id: recipe.id,
    title: recipe.title,
    step: recipe.step ?? 0,
    view: { ...DEFAULT_VIEW, ...recipe.view },
    load: async () => ({
      title: recipe.title,
      note: recipe.note,
      modules: await Promise.all(recipe.modules.map(loadExampleModule)),
      fund: recipe.fund ?? [],
      setup: (recipe.setup ?? []).map(call),
      call: call(recipe.call),
      config: { ...DEFAULT_CONFIG, ...recipe.config },
    }),
  };
}

const PLAYGROUND = '0xcafe::playground';
const BANK = '0xcafe::bank';
const ORDERBOOK = '0xcafe::orderbook';

export const EXAMPLES: readonly Example[] = [
  example({
    id: 'vectors',
    title: 'Vectors and references',
    note: 'A reference into a vector of structs changes one field. Press j.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::shift_point`, args: ['4', '2', '100'] },
  }),
  example({
    id: 'arithmetic',
    title: 'Arithmetic abort',
    note: '200 + 100 does not fit a u8. Press x to jump there.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::add_u8`, args: ['200', '100'] },
  }),
  example({
    id: 'abort',
    title: 'Abort with a code',
    note: 'Aborts with 42 unless the argument is even.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::half`, args: ['7'] },
  }),
  example({
    id: 'generics',
    title: 'Generics: three instances',
    note: 'One generic function is lowered once for each type: compare the micro-ops below.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::three_instances` },
    view: { lowering: 'instances' },
    step: 12,
  }),
  example({
    id: 'enums',
    title: 'Enum match',
    note: 'A match on a Rect: tests of the variant, a guard, borrowed fields.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::shape_area`, args: ['2', '3', '4'] },
  }),
  example({
    id: 'closures',
    title: 'Closures',
    note: 'A function value with a captured number, called twice.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::closure_captures`, args: ['5', '10'] },
  }),
  example({
    id: 'counter',
    title: 'Resources',
    note: 'A counter is put into storage, changed and taken out again: see Storage.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::counter_round_trip`, signers: ['0xa1'], args: ['7'] },
    view: { dock: 'storage' },
  }),
  example({
    id: 'transfer',
    title: 'Bank: a transfer',
    note: 'Two customers of a bank: Storage shows before → now, also of the table entries.',
    modules: ['bank'],
    fund: [
      { address: '0xa1', amount: '1000' },
      { address: '0xb2', amount: '1000' },
    ],
    setup: [
      { function: `${BANK}::open_bank`, signers: ['0xcafe'] },
      { function: `${BANK}::open_account`, signers: ['0xa1'] },
      { function: `${BANK}::open_account`, signers: ['0xb2'] },
      { function: `${BANK}::deposit`, signers: ['0xa1'], args: ['500'] },
    ],
    call: { function: `${BANK}::transfer`, signers: ['0xa1'], args: ['0xb2', '120'] },
    view: { dock: 'storage' },
  }),
  example({
    id: 'orderbook',
    title: 'Order book: a bid is matched',
    note: 'A bid takes two asks: enums, vectors of vectors, events.',
    modules: ['orderbook'],
    setup: [
      { function: `${ORDERBOOK}::open_market`, signers: ['0xcafe'] },
      { function: `${ORDERBOOK}::ask`, signers: ['0xa1'], args: ['101', '5'] },
      { function: `${ORDERBOOK}::ask`, signers: ['0xa1'], args: ['102', '5'] },
    ],
    call: { function: `${ORDERBOOK}::bid`, signers: ['0xb2'], args: ['102', '8'] },
    view: { dock: 'storage' },
  }),
  example({
    id: 'reentrancy',
    title: 'Reentrancy error',
    note: 'A function value calls back into the module that runs it, which holds its own state: refused.',
    modules: ['locks', 'lockuser'],
    setup: [{ function: '0xcafe::locks::init', signers: ['0xa1'], args: ['4'] }],
    call: { function: '0xcafe::lockuser::reads_back', args: ['0xa1'] },
  }),
  example({
    id: 'memory',
    title: 'Memory and collection',
    note: 'Vectors are built and dropped in a small heap. Press m to run to its collection, j to see it done.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::churn`, args: ['40', '12'] },
    config: { heapBytes: 32 * 1024 },
    view: { dock: 'memory' },
  }),
  example({
    id: 'gas',
    title: 'Gas exhaustion',
    note: 'A loop without an end runs until the gas is used up.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::spin` },
    config: { gasLimit: '20000000' },
    view: { dock: 'gas' },
  }),
  example({
    id: 'million',
    title: 'A million steps',
    note: 'Drag the slider, step back from the end, search.',
    modules: ['playground'],
    call: { function: `${PLAYGROUND}::fib`, args: ['23'] },
    config: { maxSteps: 1_250_000 },
    view: { dock: 'trace' },
  }),
  {
    id: 'verifier',
    title: 'Verifier error on publishing',
    step: 0,
    view: { ...DEFAULT_VIEW, dock: 'modules' },
    load: async () => ({
      title: 'Verifier error on publishing',
      note: 'Publishing is refused: the coin has no ability to be copied. Assembly shows the place.',
      modules: [],
      fund: [],
      setup: [],
      call: { ...NO_CALL, function: '0xcafe::counterfeit::mint', args: ['1'] },
      config: DEFAULT_CONFIG,
      assembly: counterfeit,
    }),
  },
];

/** The one that is open on the first visit. */
export const FIRST = 'vectors';

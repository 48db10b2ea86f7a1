/** The examples, and what each has to end with. */
export const EXAMPLE_IDS = [
  { id: 'vectors', outcome: 'returned 106, 14' },
  { id: 'arithmetic', outcome: 'ARITHMETIC_ERROR' },
  { id: 'abort', outcome: 'ABORTED with code 42' },
  { id: 'generics', outcome: 'returned 3, 2, 1' },
  { id: 'enums', outcome: 'returned 12' },
  { id: 'closures', outcome: 'returned 20' },
  { id: 'counter', outcome: 'returned 21' },
  { id: 'transfer', outcome: 'returned' },
  { id: 'orderbook', outcome: 'returned' },
  { id: 'reentrancy', outcome: 'RUNTIME_DISPATCH_ERROR' },
  { id: 'memory', outcome: '' },
  { id: 'gas', outcome: 'OUT_OF_GAS' },
  { id: 'million', outcome: 'returned 28657' },
  { id: 'verifier', outcome: 'refused' },
] as const;

/** Finding the line of an instruction in assembler text, to show there what the verifier says of it. */

const HEADER = /^\s*(?:#\[[^\]]*\]\s*)?(?:entry\s+)?(?:public\s+|friend\s+)?(?:native\s+)?fun\s+[\w$]+/;

/**
 * Line (from 0) of instruction `offset` of the function with definition index `index`; without an offset, or if there is no such
 * instruction, the line of the function's header; `undefined` if there is no such function.
 */
export function instructionLine(source: string, index: number, offset?: number): number | undefined {
  let fn = -1;
  let at = 0;
  let header: number | undefined;
  for (const [i, line] of source.split('\n').entries()) {
    const code = line.replace(/\/\/.*$/, '').trim();
    if (code === '') continue;
    if (HEADER.test(code)) {
      fn += 1;
      at = 0;
      if (fn > index) break;
      if (fn === index) header = i;
      continue;
    }
    if (fn !== index || offset === undefined || /^local\s/.test(code)) continue;
    // A label may stand alone, its instruction on the next line.
    if (/^\w+\s*:$/.test(code)) continue;
    if (at === offset) return i;
    at += 1;
  }
  return header;
}

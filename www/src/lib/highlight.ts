/** Colours for code: lines cut into tokens, by regular expressions that know no nesting. */

export type TokenKind = 'text' | 'keyword' | 'number' | 'comment' | 'string' | 'label' | 'type';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

export type Language = 'move' | 'code';

const MOVE =
  /(?<comment>\/\/.*$)|(?<string>[bx]?"(?:[^"\\]|\\.)*")|(?<number>\b0x[0-9a-fA-F_]+|\b\d[\d_]*(?:[ui]\d+)?\b)|(?<keyword>\b(?:module|script|use|friend|fun|public|entry|native|struct|enum|has|const|let|mut|if|else|while|for|loop|break|continue|return|abort|match|copy|move|acquires|as|inline|phantom|package|spec|is|true|false|assert)\b!?|#\[[^\]]*\])|(?<type>\b(?:u8|u16|u32|u64|u128|u256|i8|i16|i32|i64|i128|i256|bool|address|signer|vector|[A-Z]\w*)\b)/g;

const CODE =
  /(?<comment>\/\/.*$)|(?<label>\b(?:block|B|L|bb)\d+\b:?|^\s*\w+:(?=\s|$))|(?<string>[bx]?"(?:[^"\\]|\\.)*")|(?<number>\b0x[0-9a-fA-F]+(?!\w|::)|(?<![\w.])-?\d+\b)|(?<type>\b(?:u8|u16|u32|u64|u128|u256|i8|i16|i32|i64|i128|i256|bool|address|signer|vector)\b)|(?<keyword>\b(?:fun|public|entry|native|struct|enum|has|local|module|script|use|friend|ret|abort|br_true|br_false|branch|jump|br|call)\b)/gi;

const KINDS: readonly TokenKind[] = ['keyword', 'number', 'comment', 'string', 'label', 'type'];

/** Cuts a line into tokens; their texts joined are the line. */
export function tokens(line: string, language: Language): readonly Token[] {
  const out: Token[] = [];
  let at = 0;
  for (const match of line.matchAll(language === 'move' ? MOVE : CODE)) {
    const kind = KINDS.find((k) => match.groups?.[k] !== undefined);
    if (kind === undefined || match[0] === '') continue;
    if (match.index > at) out.push({ kind: 'text', text: line.slice(at, match.index) });
    out.push({ kind, text: match[0] });
    at = match.index + match[0].length;
  }
  if (at < line.length) out.push({ kind: 'text', text: line.slice(at) });
  return out;
}

/** Cuts tokens at two columns; those between them are marked. */
export function markRange(
  list: readonly Token[],
  from: number,
  to: number,
): readonly (Token & { readonly marked: boolean })[] {
  const out: (Token & { marked: boolean })[] = [];
  let at = 0;
  for (const token of list) {
    const end = at + token.text.length;
    const cuts = [at, Math.max(at, Math.min(end, from)), Math.max(at, Math.min(end, to)), end];
    for (let i = 0; i < 3; i += 1) {
      const text = token.text.slice((cuts[i] ?? 0) - at, (cuts[i + 1] ?? 0) - at);
      if (text !== '') out.push({ kind: token.kind, text, marked: i === 1 });
    }
    at = end;
  }
  return out;
}

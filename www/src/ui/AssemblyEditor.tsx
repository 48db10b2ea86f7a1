/** The assembly editor: CodeMirror, loaded when it is first opened; errors stand in the text. */

import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { AssemblyResult, FormatProblem } from 'monomove';
import { createSignal, type JSX, onCleanup, onMount } from 'solid-js';
import { instructionLine } from '../lib/assembly';
import { describeProblem } from '../vm/outcome';
import { useApp } from './context';

const TEMPLATE = `module 0xcafe::scratch

public fun main(n: u64): u64
    local sum: u64
    ld_u64 0
    st_loc sum
again: copy_loc n
    ld_u64 0
    eq
    br_true done
    copy_loc sum
    copy_loc n
    add
    st_loc sum
    move_loc n
    ld_u64 1
    sub
    st_loc n
    branch again
done: move_loc sum
    ret
`;

const DELAY_MS = 250;

const words =
  /^(?:module|script|use|as|friend|public|entry|native|fun|struct|enum|has|local|acquires|address|phantom)\b/;
const types = /^(?:u8|u16|u32|u64|u128|u256|i8|i16|i32|i64|i128|i256|bool|address|signer|vector|copy|drop|store|key)\b/;

const masm = StreamLanguage.define<{ start: boolean }>({
  startState: () => ({ start: true }),
  token(stream, state) {
    if (stream.sol()) state.start = true;
    if (stream.eatSpace()) return null;
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match(words)) {
      state.start = false;
      return 'keyword';
    }
    if (stream.match(/^\w+:(?!:)/)) return 'labelName';
    if (stream.match(/^(?:0x[0-9a-fA-F]+|\d+)/)) return 'number';
    if (stream.match(types)) return 'typeName';
    const first = state.start;
    state.start = false;
    if (stream.match(/^[A-Za-z_$][\w$]*/)) return first ? 'operator' : null;
    stream.next();
    return null;
  },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, class: 't-keyword' },
  { tag: tags.comment, class: 't-comment' },
  { tag: tags.number, class: 't-number' },
  { tag: tags.typeName, class: 't-type' },
  { tag: tags.labelName, class: 't-label' },
]);

/** What the assembler says, for the margin. */
function diagnosticsOf(result: AssemblyResult): Diagnostic[] {
  if (result.ok) return [];
  return result.diagnostics.map((d) => ({
    from: d.start,
    to: Math.max(d.start, d.end),
    severity: 'error',
    message: d.message,
  }));
}

/** What the verifier says, at the line of the instruction. */
function verifierDiagnostic(state: EditorState, problem: FormatProblem): Diagnostic {
  const text = state.doc.toString();
  const line = problem.function === undefined ? undefined : instructionLine(text, problem.function, problem.offset);
  const at = state.doc.line((line ?? 0) + 1);
  const indent = /^\s*/.exec(at.text)?.[0].length ?? 0;
  return { from: at.from + indent, to: at.to, severity: 'error', message: describeProblem(problem) };
}

export default function AssemblyEditor(): JSX.Element {
  const app = useApp();
  const { dbg } = app;
  let parent!: HTMLDivElement;
  let view: EditorView | undefined;
  const [message, setMessage] = createSignal('');
  const [bad, setBad] = createSignal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let checks = 0;

  const check = async (): Promise<Uint8Array | undefined> => {
    if (view === undefined) return undefined;
    checks += 1;
    const mine = checks;
    const source = view.state.doc.toString();
    try {
      const result = await dbg.assemble(source);
      if (mine !== checks || view === undefined) return undefined;
      const found = diagnosticsOf(result).map((d) => ({ ...d, to: Math.min(d.to, source.length) }));
      let text = result.ok
        ? `Assembles to ${result.bytes.length} bytes.`
        : `${result.diagnostics.length} error${result.diagnostics.length === 1 ? '' : 's'}; line ${result.diagnostics[0]?.line}: ${result.diagnostics[0]?.message}`;
      let wrong = !result.ok;
      if (result.ok) {
        const verdict = await dbg.verify(result.bytes);
        if (mine !== checks || view === undefined) return undefined;
        if (!verdict.ok) {
          found.push(verifierDiagnostic(view.state, verdict.problem));
          text = `Refused by the verifier: ${describeProblem(verdict.problem)}`;
          wrong = true;
        }
      }
      view.dispatch(setDiagnostics(view.state, found));
      setMessage(text);
      setBad(wrong);
      return result.ok ? result.bytes : undefined;
    } catch (error) {
      setMessage(error instanceof Error ? error.message : String(error));
      setBad(true);
      return undefined;
    }
  };

  const use = async (): Promise<void> => {
    const bytes = await check();
    if (bytes === undefined || view === undefined) return;
    dbg.edit({ assembly: view.state.doc.toString() });
    app.setDialog(undefined);
    await dbg.addModules([{ bytes, assembled: true }]);
  };

  onMount(() => {
    view = new EditorView({
      parent,
      state: EditorState.create({
        doc: dbg.program().assembly ?? TEMPLATE,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          lintGutter(),
          masm,
          syntaxHighlighting(colours),
          EditorView.contentAttributes.of({ 'aria-label': 'Assembly', spellcheck: 'false' }),
          keymap.of([
            {
              key: 'Mod-Enter',
              run: () => {
                void use();
                return true;
              },
            },
            ...defaultKeymap,
            ...historyKeymap,
            indentWithTab,
          ]),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            clearTimeout(timer);
            timer = setTimeout(() => void check(), DELAY_MS);
          }),
        ],
      }),
    });
    view.focus();
    void check();
  });
  onCleanup(() => {
    clearTimeout(timer);
    if (view !== undefined) dbg.edit({ assembly: view.state.doc.toString() });
    view?.destroy();
    view = undefined;
  });

  return (
    <div class="editor">
      <div ref={parent} class="editor-text" />
      <footer>
        <span role="status" classList={{ bad: bad() }}>
          {message()}
        </span>
        <button type="button" class="primary" onClick={() => void use()} title="Ctrl+Enter">
          Use and record
        </button>
      </footer>
    </div>
  );
}

/** The top line: name, examples, ways in, sharing. */

import { For, type JSX } from 'solid-js';
import { EXAMPLES } from '../examples/examples';
import { useApp } from './context';
import { Icon } from './icons';

export interface HeaderProps {
  readonly example: string;
  readonly onExample: (id: string) => void;
}

export function Header(props: HeaderProps): JSX.Element {
  const app = useApp();
  let files!: HTMLInputElement;
  return (
    <header class="top">
      <h1>MonoMove</h1>
      <label class="example">
        <span class="visually-hidden">Example</span>
        <select
          value={props.example}
          onChange={(event) => {
            // The next key is for the example, not for the list.
            event.currentTarget.blur();
            props.onExample(event.currentTarget.value);
          }}
          title="Examples that work at once"
        >
          <option value="" disabled>
            {props.example === '' ? app.dbg.program().title : 'Examples'}
          </option>
          <For each={EXAMPLES}>{(example) => <option value={example.id}>{example.title}</option>}</For>
        </select>
      </label>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        accept=".mv,.mvsm,.move,.masm"
        onChange={() => {
          void app.openFiles([...(files.files ?? [])]);
          files.value = '';
        }}
      />
      <button
        type="button"
        onClick={() => files.click()}
        title="Open .mv, .masm, .mvsm and .move files; or drop them anywhere"
      >
        Open<span class="wide">…</span>
      </button>
      <button
        type="button"
        class="wide"
        onClick={() => app.setDialog('hex')}
        title="Paste bytecode as hexadecimal text (p)"
      >
        Paste hex
      </button>
      <button type="button" onClick={() => app.setDialog('assembly')} title="Write assembly (e)">
        Assembly
      </button>
      <span class="spring" />
      <button type="button" onClick={() => void app.copyLink()} title="Copy a link to this program and step (y)">
        Share
      </button>
      <button
        type="button"
        class="square"
        onClick={() => app.toggleTheme()}
        aria-label="Dark or light"
        title="Dark or light (t)"
      >
        <Icon name="theme" />
      </button>
      <button
        type="button"
        class="square"
        onClick={() => app.setDialog('help')}
        aria-label="Keys and help"
        title="Keys and help (?)"
      >
        ?
      </button>
    </header>
  );
}

/** What every part of the screen shares. */

import { type Accessor, createContext, createEffect, createSignal, on, onCleanup, useContext } from 'solid-js';
import type { Debugger } from '../vm/debugger';
import type { View } from '../vm/view';

export type Dialog = 'help' | 'palette' | 'assembly' | 'hex' | 'breakpoints' | undefined;

export interface App {
  readonly dbg: Debugger;
  readonly view: Accessor<View>;
  setView(change: Partial<View>): void;
  readonly dialog: Accessor<Dialog>;
  setDialog(dialog: Dialog): void;
  /** Says something for a while, also to screen readers. */
  say(text: string): void;
  /** Opens files: binaries, maps and sources as modules, assembler text in the editor. */
  openFiles(files: readonly File[]): Promise<void>;
  copyLink(): Promise<void>;
  /** Copies HTML that shows this program at this step in another page. */
  copyFrame(): Promise<void>;
  toggleTheme(): void;
  find(query: string, direction: 1 | -1): Promise<void>;
  /** Focuses the find field. */
  askFind(): void;
}

export const AppContext = createContext<App>();

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('no app around this component');
  return app;
}

/**
 * The answer to a question that is asked anew when `source` changes. The last answer stays until the next one is there, so that nothing
 * flickers; answers that come late are dropped. A `source` of `undefined` asks nothing.
 */
export function createLatest<S, T>(
  source: Accessor<S | undefined>,
  ask: (source: S) => Promise<T | undefined>,
): Accessor<T | undefined> {
  const [answer, setAnswer] = createSignal<T | undefined>(undefined);
  let asked = 0;
  createEffect(
    on(source, (value) => {
      asked += 1;
      const mine = asked;
      if (value === undefined) {
        setAnswer(undefined);
        return;
      }
      void ask(value).then((result) => {
        if (mine === asked) setAnswer(() => result);
      });
    }),
  );
  onCleanup(() => {
    asked += 1;
  });
  return answer;
}

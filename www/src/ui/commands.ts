/** Everything that can be done, with its keys: the keyboard, the palette and the help page come from this one table. */

import { fullName } from '../lib/names';
import { DOCK_TABS } from '../vm/view';
import { type App, useApp } from './context';
import { createPlace } from './location';

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: 'Step' | 'Run' | 'Find' | 'Panes' | 'Program';
  /** `F10`, `Shift+F11`, `j`, `?`. Letters without modifiers do not work while typing. */
  readonly keys: readonly string[];
  readonly run: () => unknown;
}

/** Makes the table. To be called in a component. */
export function createCommands(app: App = useApp()): readonly Command[] {
  const { dbg } = app;
  const place = createPlace(dbg);
  const command = (
    group: Command['group'],
    id: string,
    title: string,
    keys: readonly string[],
    run: () => unknown,
  ): Command => ({
    id,
    title,
    group,
    keys,
    run,
  });
  const here = (): string | undefined => {
    const at = place();
    return at === undefined ? undefined : `${fullName(at.fn)}+${at.frame.offset}`;
  };
  return [
    command('Step', 'into', 'Step into', ['F11', 'j'], () => dbg.step('into')),
    command('Step', 'into-back', 'Step back', ['Alt+F11', 'k'], () => dbg.step('into', 'back')),
    command('Step', 'over', 'Step over', ['F10', 'J'], () => dbg.step('over')),
    command('Step', 'over-back', 'Step back over', ['Alt+F10', 'K'], () => dbg.step('over', 'back')),
    command('Step', 'out', 'Step out', ['Shift+F11', 'u'], () => dbg.step('out')),
    command('Step', 'out-back', 'Step back to the caller', ['Alt+Shift+F11', 'U'], () => dbg.step('out', 'back')),
    command('Run', 'run', 'Run to the next breakpoint', ['F5', 'c'], () => dbg.run()),
    command('Run', 'run-back', 'Run back to the last breakpoint', ['Alt+F5', 'C'], () => dbg.run('back')),
    command('Run', 'start', 'Go to the start', ['g'], () => dbg.seek(0)),
    command('Run', 'end', 'Go to the end', ['G'], () => dbg.seek(Number.MAX_SAFE_INTEGER)),
    command('Run', 'failure', 'Jump to the abort', ['x'], () => dbg.toFailure()),
    command('Run', 'collection', 'Run to the next collection', ['m'], () => dbg.toCollection('forward')),
    command('Run', 'collection-back', 'Run back to the last collection', ['M'], () => dbg.toCollection('back')),
    command('Run', 'breakpoint', 'Breakpoint on this instruction', ['b'], () => {
      const key = here();
      if (key !== undefined) dbg.toggleBreakpoint(key);
    }),
    command('Run', 'breakpoint-function', 'Breakpoint on this function', ['B'], () => {
      const at = place();
      if (at !== undefined) dbg.toggleBreakpoint(fullName(at.fn));
    }),
    command('Run', 'breakpoints', 'All breakpoints…', ['Shift+F8'], () => app.setDialog('breakpoints')),
    command('Find', 'find', 'Find a step, function or instruction', ['/'], () => app.askFind()),
    command('Find', 'find-next', 'Next match', ['n'], () => app.find('', 1)),
    command('Find', 'find-last', 'Last match', ['N'], () => app.find('', -1)),
    command('Panes', 'frame-up', 'Select the caller', ['['], () =>
      dbg.selectFrame(Math.max(0, dbg.selectedFrame() - 1)),
    ),
    command('Panes', 'frame-down', 'Select the callee', [']'], () =>
      dbg.selectFrame(Math.min((dbg.position()?.state.frames.length ?? 1) - 1, dbg.selectedFrame() + 1)),
    ),
    ...DOCK_TABS.map((tab, i) =>
      command('Panes', `dock-${tab}`, `Show ${tab}`, [`${i + 1}`], () => app.setView({ dock: tab })),
    ),
    command('Panes', 'source', 'Show or hide the source', ['s'], () => app.setView({ source: !app.view().source })),
    command('Panes', 'bytecode', 'Show or hide the bytecode', ['d'], () =>
      app.setView({ bytecode: !app.view().bytecode }),
    ),
    command('Panes', 'theme', 'Dark or light', ['t'], () => app.toggleTheme()),
    command('Program', 'record', 'Record the call', ['Ctrl+Enter'], () => dbg.record()),
    command('Program', 'assembly', 'Assembly editor', ['e'], () => app.setDialog('assembly')),
    command('Program', 'hex', 'Paste bytecode as hex', ['p'], () => app.setDialog('hex')),
    command('Program', 'share', 'Copy a link to this step', ['y'], () => app.copyLink()),
    command('Program', 'embed', 'Copy HTML that embeds this step', ['Y'], () => app.copyFrame()),
    command('Program', 'stop', 'Stop the machine', ['Ctrl+.'], () => dbg.stopMachine()),
    command('Find', 'palette', 'Command palette', ['Ctrl+K'], () => app.setDialog('palette')),
    command('Find', 'help', 'Keys and help', ['?'], () => app.setDialog('help')),
  ];
}

/** The name of a key event, in the form of the table. */
export function keyOf(event: Pick<KeyboardEvent, 'key' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>): string {
  const named = event.key.length > 1;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push('Ctrl');
  if (event.altKey) parts.push('Alt');
  if (event.shiftKey && (named || event.ctrlKey || event.metaKey)) parts.push('Shift');
  parts.push(event.ctrlKey || event.metaKey ? (named ? event.key : event.key.toUpperCase()) : event.key);
  return parts.join('+');
}

/** Whether the event comes from something one types into. */
export function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)) &&
    !(target instanceof HTMLInputElement && ['range', 'checkbox', 'radio', 'button'].includes(target.type))
  );
}

/** The command that a key stands for. */
export function commandFor(commands: readonly Command[], event: KeyboardEvent): Command | undefined {
  const key = keyOf(event);
  if (typing(event.target) && !/^(Ctrl\+|Alt\+F|Shift\+F|Alt\+Shift\+F|F\d)/.test(key)) return undefined;
  return commands.find((command) => command.keys.includes(key));
}

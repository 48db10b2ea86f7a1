/** Global values that the call has touched, before and now; and the events it has emitted. */

import type { GlobalState } from 'monomove';
import { createMemo, For, type JSX, Show } from 'solid-js';
import { inline, shortAddress, shortType } from '../../lib/values';
import { type Change, differences } from '../../vm/differences';
import { createLatest, useApp } from '../context';

/** A state key for people: owner and type. */
function keyText(global: GlobalState): string {
  const resource = /^(0x[0-9a-f]+)\/resource\/(.*)$/i.exec(global.key);
  if (resource !== null) return `${shortAddress(resource[1] ?? '')} ${shortType(resource[2] ?? '')}`;
  const table = /^table\/(0x[0-9a-f]+)\/([0-9a-f]*)$/i.exec(global.key);
  if (table !== null) return `table ${shortAddress(table[1] ?? '')} [${shortAddress(`0x${table[2] ?? ''}`)}]`;
  return global.key;
}

/** Whether the value differs from what the call found. Having been borrowed mutably is no change yet. */
function differs({ before, now }: GlobalState): boolean {
  if (before === undefined || now === undefined) return before !== now;
  return before.bcs.length !== now.bcs.length || before.bcs.some((byte, i) => byte !== now.bcs[i]);
}

export function StorageTab(): JSX.Element {
  const { dbg } = useApp();
  const globals = createLatest(dbg.position, () => dbg.ask('reading storage', (session) => session.globals()));
  const events = createLatest(dbg.position, () => dbg.ask('reading events', (session) => session.events()));
  const sorted = createMemo(() => [...(globals() ?? [])].sort((a, b) => Number(differs(b)) - Number(differs(a))));

  return (
    <div class="storage scroll">
      <table>
        <caption class="visually-hidden">Global values touched so far</caption>
        <thead>
          <tr>
            <th scope="col">Global value</th>
            <th scope="col">Field</th>
            <th scope="col">Before</th>
            <th scope="col">Now</th>
            <th scope="col">Read at</th>
          </tr>
        </thead>
        <tbody>
          <For
            each={sorted()}
            fallback={
              <tr class="empty-row">
                <td colSpan={5}>No global value has been touched up to this step.</td>
              </tr>
            }
          >
            {(global) => {
              const changed = differs(global);
              const changes = (): readonly Change[] => {
                const list = changed ? differences(global.before?.value, global.now?.value) : [];
                if (list.length > 0) return list;
                const value = global.now ?? global.before;
                const text = value === undefined ? '–' : inline(value.value, 64);
                return [{ path: changed ? '' : 'unchanged', before: text, now: global.now === undefined ? '–' : text }];
              };
              return (
                <For each={changes()}>
                  {(change, i) => (
                    <tr classList={{ changed: changed, more: i() > 0 }}>
                      <td title={global.key}>{i() === 0 ? keyText(global) : ''}</td>
                      <td>{change.path}</td>
                      <td class="before">{change.before}</td>
                      <td class="now">{changed ? change.now : ''}</td>
                      <td>
                        <Show when={i() === 0}>
                          <button type="button" class="link" onClick={() => void dbg.seek(global.readAt)}>
                            {global.readAt}
                          </button>
                        </Show>
                      </td>
                    </tr>
                  )}
                </For>
              );
            }}
          </For>
        </tbody>
      </table>
      <Show when={(events() ?? []).length > 0}>
        <h3>Events</h3>
        <table>
          <caption class="visually-hidden">Events emitted so far</caption>
          <tbody>
            <For each={events()}>
              {(event) => (
                <tr>
                  <td>
                    <button type="button" class="link" onClick={() => void dbg.seek(event.step)}>
                      {event.step}
                    </button>
                  </td>
                  <td title={event.type}>{shortType(event.type)}</td>
                  <td>{inline(event.value, 160)}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </Show>
    </div>
  );
}

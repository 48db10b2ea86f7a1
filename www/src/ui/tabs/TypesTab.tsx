/** The interned type table: names, abilities, sizes, and the layout of the chosen type. */

import type { FieldLayout, TypeInfo } from 'monomove';
import { createMemo, createSignal, For, type JSX, Show } from 'solid-js';
import { functionName } from '../../lib/names';
import { shortType } from '../../lib/values';
import { createLatest, useApp } from '../context';

export function TypesTab(): JSX.Element {
  const { dbg } = useApp();
  const types = createLatest(dbg.recording, () => dbg.ask('reading types', (session) => session.types()));
  const [chosen, setChosen] = createSignal<number | undefined>();
  const [filter, setFilter] = createSignal('');
  const shown = createMemo(() => {
    const text = filter().trim().toLowerCase();
    return (types() ?? []).filter((type) => text === '' || type.name.toLowerCase().includes(text));
  });
  const selected = createMemo(() => {
    const list = types() ?? [];
    return list.find((type) => type.id === chosen()) ?? list.find((type) => type.kind === 'struct') ?? list[0];
  });
  const referrers = (of: TypeInfo): readonly TypeInfo[] =>
    (types() ?? []).filter((type) => type.refersTo.includes(of.id));
  const link = (id: number): JSX.Element => {
    const type = (types() ?? []).find((t) => t.id === id);
    return (
      <button type="button" class="link" onClick={() => setChosen(id)} title={type?.name}>
        {type === undefined ? `#${id}` : shortType(type.name)}
      </button>
    );
  };
  const fields = (list: readonly FieldLayout[]): JSX.Element => (
    <For each={list}>
      {(field) => (
        <tr>
          <td class="num">{field.offset}</td>
          <td class="num">{field.size}</td>
          <td>{field.name}</td>
          <td>{field.typeId === undefined ? shortType(field.type) : link(field.typeId)}</td>
          <td class={`slot-${field.slot}`}>{field.slot}</td>
        </tr>
      )}
    </For>
  );

  return (
    <Show when={types()} fallback={<p class="empty">Types are interned while a call runs.</p>}>
      <div class="types">
        <div class="types-list">
          <input
            type="search"
            placeholder={`filter ${types()?.length ?? 0} types`}
            aria-label="Filter types"
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
          <section class="scroll" tabindex="0" aria-label="Type table">
            <table>
              <thead>
                <tr>
                  <th scope="col">id</th>
                  <th scope="col">type</th>
                  <th scope="col">abilities</th>
                  <th scope="col">size</th>
                  <th scope="col">align</th>
                </tr>
              </thead>
              <tbody>
                <For each={shown()}>
                  {(type) => (
                    <tr classList={{ selected: type.id === selected()?.id }}>
                      <td class="num">{type.id}</td>
                      <td>
                        <button type="button" class="link" onClick={() => setChosen(type.id)} title={type.name}>
                          {shortType(type.name)}
                        </button>
                      </td>
                      <td class="abilities">{type.abilities.join(' ')}</td>
                      <td class="num">{type.size ?? '–'}</td>
                      <td class="num">{type.align ?? '–'}</td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </section>
        </div>
        <Show when={selected()}>
          {(type) => (
            <section class="types-detail scroll" tabindex="0" aria-label="The chosen type">
              <h3>
                <span class="id">#{type().id}</span> {type().name}
              </h3>
              <p class="facts">
                {type().kind} · {type().abilities.join(', ') || 'no abilities'} ·{' '}
                {type().size === undefined ? 'no layout yet' : `${type().size} bytes, aligned to ${type().align}`}
              </p>
              <Show when={type().fields.length > 0 || (type().variants ?? []).length > 0}>
                <table class="layout">
                  <thead>
                    <tr>
                      <th scope="col">offset</th>
                      <th scope="col">size</th>
                      <th scope="col">field</th>
                      <th scope="col">type</th>
                      <th scope="col">slot</th>
                    </tr>
                  </thead>
                  <tbody>
                    {fields(type().fields)}
                    <For each={type().variants ?? []}>
                      {(variant) => (
                        <>
                          <tr class="variant">
                            <td colSpan={5}>{variant.name}</td>
                          </tr>
                          {fields(variant.fields)}
                        </>
                      )}
                    </For>
                  </tbody>
                </table>
              </Show>
              <Show when={type().refersTo.length > 0}>
                <p class="facts">
                  refers to <For each={type().refersTo}>{(id) => <>{link(id)} </>}</For>
                </p>
              </Show>
              <Show when={referrers(type()).length > 0}>
                <p class="facts">
                  referred to by <For each={referrers(type())}>{(other) => <>{link(other.id)} </>}</For>
                </p>
              </Show>
              <Show when={type().usedBy.length > 0}>
                <p class="facts">
                  used by{' '}
                  <For each={type().usedBy}>
                    {(fn) => <code class="chip">{functionName(dbg.functions()[fn])}</code>}
                  </For>
                </p>
              </Show>
            </section>
          )}
        </Show>
      </div>
    </Show>
  );
}

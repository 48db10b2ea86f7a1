/** The selected frame and the heap, byte by byte. */

import type { Collection, FrameState, HeapObject, PlaceState } from 'monomove';
import { createMemo, createSignal, For, type JSX, Show } from 'solid-js';
import { toHex } from '../../lib/hex';
import { functionName } from '../../lib/names';
import { grouped, inline, shortType } from '../../lib/values';
import { createLatest, useApp } from '../context';
import { createPlace } from '../location';

/** Heap objects that are listed. */
const OBJECTS = 256;
/** Bytes of a frame or object that are shown. */
const BYTES = 1024;

interface Row {
  readonly offset: number;
  readonly size: number;
  readonly name: string;
  readonly place: PlaceState | undefined;
}

/** The frame in the order of its bytes; what belongs to no value is a row of its own. */
function frameRows(frame: FrameState, bytes: number): readonly Row[] {
  const places = [...frame.locals, ...frame.operands].filter((p) => p.size > 0).sort((a, b) => a.slot - b.slot);
  const rows: Row[] = [];
  let at = 0;
  for (const place of places) {
    if (place.slot > at) rows.push({ offset: at, size: place.slot - at, name: '', place: undefined });
    if (place.slot >= at) rows.push({ offset: place.slot, size: place.size, name: place.name, place });
    at = Math.max(at, place.slot + place.size);
  }
  if (at < bytes) rows.push({ offset: at, size: bytes - at, name: '', place: undefined });
  return rows;
}

function spaced(bytes: Uint8Array, room: number): string {
  const text = toHex(bytes.subarray(0, room)).replace(/(..)(?=.)/g, '$1 ');
  return bytes.length > room ? `${text} …` : text;
}

export function MemoryTab(): JSX.Element {
  const { dbg } = useApp();
  const place = createPlace(dbg);
  const [object, setObject] = createSignal<number | undefined>();
  const where = createMemo(() => {
    const position = dbg.position();
    return position === undefined ? undefined : { position, frame: dbg.selectedFrame() };
  });
  const bytes = createLatest(where, ({ frame }) => dbg.ask('reading memory', (session) => session.frameBytes(frame)));
  const heap = createLatest(dbg.position, () => dbg.ask('reading the heap', (session) => session.heap(0, OBJECTS)));
  const shown = createLatest(
    () => {
      const position = dbg.position();
      const address = object() ?? heap()?.[0]?.address;
      const known = heap()?.some((o) => o.address === address) === true;
      return position === undefined || address === undefined || !known ? undefined : { position, address };
    },
    ({ address }) => dbg.ask('reading an object', (session) => session.object(address)),
  );
  const touched = (from: number, size: number): boolean =>
    (dbg.position()?.state.changes ?? []).some((r) => r.address < from + size && from < r.address + r.size);
  const rows = createMemo(() => {
    const at = place();
    return at === undefined ? [] : frameRows(at.frame, bytes()?.length ?? 0);
  });

  return (
    <Show when={place()} fallback={<p class="empty">Nothing is recorded.</p>}>
      {(at) => (
        <div class="memory">
          <Collections />
          <section class="scroll" tabindex="0" aria-label="Bytes of the frame">
            <table>
              <caption>
                Frame of {functionName(at().fn)} at 0x{at().frame.address.toString(16)}
              </caption>
              <thead>
                <tr>
                  <th scope="col">offset</th>
                  <th scope="col">size</th>
                  <th scope="col">name</th>
                  <th scope="col">type</th>
                  <th scope="col">value</th>
                  <th scope="col">bytes</th>
                </tr>
              </thead>
              <tbody>
                <For each={rows()}>
                  {(row) => (
                    <tr classList={{ changed: row.place?.changed === true, gap: row.place === undefined }}>
                      <td class="num">{row.offset}</td>
                      <td class="num">{row.size}</td>
                      <td>{row.name}</td>
                      <td>{row.place === undefined ? '' : shortType(row.place.type).slice(0, 24)}</td>
                      <td>{row.place?.value === undefined ? '' : inline(row.place.value, 28)}</td>
                      <td class="hex">
                        {spaced((bytes() ?? new Uint8Array()).subarray(row.offset, row.offset + row.size), 24)}
                      </td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </section>
          <section class="scroll" tabindex="0" aria-label="Heap">
            <table>
              <caption>
                Heap, {grouped(dbg.position()?.state.heapBytes ?? 0)} bytes
                {(heap()?.length ?? 0) === OBJECTS ? `, the first ${OBJECTS} objects` : ''}
              </caption>
              <thead>
                <tr>
                  <th scope="col">address</th>
                  <th scope="col">size</th>
                  <th scope="col">what</th>
                  <th scope="col">type</th>
                </tr>
              </thead>
              <tbody>
                <For each={heap() ?? []}>
                  {(of: HeapObject) => (
                    <tr
                      classList={{
                        selected: shown()?.object.address === of.address,
                        changed: touched(of.address, of.size),
                      }}
                    >
                      <td>
                        <button type="button" class="link" onClick={() => setObject(of.address)}>
                          0x{of.address.toString(16)}
                        </button>
                      </td>
                      <td class="num">{of.size}</td>
                      <td>{of.kind}</td>
                      <td>{shortType(of.type)}</td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </section>
          <section class="scroll object" tabindex="0" aria-label="The chosen object">
            <Show when={shown()} fallback={<p class="empty">No object.</p>}>
              {(of) => (
                <>
                  <h3>
                    0x{of().object.address.toString(16)} {of().object.kind} {shortType(of().object.type)}
                  </h3>
                  <p class="facts">{inline(of().value, 400)}</p>
                  <pre>{hexDump(of().bytes.subarray(0, BYTES))}</pre>
                </>
              )}
            </Show>
          </section>
        </div>
      )}
    </Show>
  );
}

/** Where the heap is collected: before the position, at it, after it. */
function Collections(): JSX.Element {
  const { dbg } = useApp();
  const all = (): readonly Collection[] => dbg.recording()?.collections ?? [];
  /** How many lie before the position. */
  const past = createMemo(() => {
    const step = dbg.position()?.step ?? 0;
    const at = all().findIndex((c) => c.step >= step);
    return at < 0 ? all().length : at;
  });
  const done = (): Collection | undefined => {
    const last = all()[past() - 1];
    return last !== undefined && last.step + 1 === dbg.position()?.step ? last : undefined;
  };
  const due = (): Collection | undefined => {
    const next = all()[past()];
    return next !== undefined && next.step === dbg.position()?.step ? next : undefined;
  };
  const jump = (of: Collection | undefined, text: string, what: string): JSX.Element => (
    <button
      type="button"
      class="small"
      aria-label={what}
      title={what}
      disabled={of === undefined}
      onClick={() => of !== undefined && void dbg.seek(of.step)}
    >
      {text}
    </button>
  );
  return (
    <div class="collections" classList={{ due: due() !== undefined, done: done() !== undefined }}>
      <Show
        when={all().length > 0}
        fallback={<span>Nothing is collected in this recording: what was allocated fits.</span>}
      >
        {jump(all()[past() - 1], '◂', 'To the last collection')}
        {jump(all()[past() + (due() === undefined ? 0 : 1)], '▸', 'To the next collection')}
        <span>
          <Show
            when={done() ?? due()}
            fallback={
              <>
                Collections: {past()} before this step, {all().length - past()} after it
              </>
            }
          >
            {(of) => (
              <>
                {done() === undefined ? 'This step collects' : 'Collected'}: {grouped(of().live)} of{' '}
                {grouped(of().before)} bytes are alive{done() === undefined ? '' : ', and were moved to the start'}
              </>
            )}
          </Show>
        </span>
      </Show>
    </div>
  );
}

/** Sixteen bytes a line, with offsets. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const line = bytes.subarray(at, at + 16);
    const text = Array.from(line, (b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '·')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${spaced(line, 16).padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}

/** Where gas went: now, by function, by basic block, and as a flame graph of the whole recording. */

import { createEffect, createMemo, createSignal, For, type JSX, on, onCleanup, Show } from 'solid-js';
import { byBlock, byFunction, flame, GasProfile, speedscope } from '../../lib/gas';
import { functionName } from '../../lib/names';
import { grouped } from '../../lib/values';
import { CHUNK } from '../../vm/steps';
import { useApp } from '../context';
import { download } from '../download';

const ROWS = 200;

export function GasTab(): JSX.Element {
  const { dbg } = useApp();
  const [profile, setProfile] = createSignal<GasProfile | undefined>();
  const [done, setDone] = createSignal(0);
  let current = 0;

  createEffect(
    on(
      () => dbg.recording(),
      (recording) => {
        current += 1;
        const mine = current;
        setProfile(undefined);
        setDone(0);
        if (recording === undefined) return;
        const sum = async (): Promise<void> => {
          const made = new GasProfile();
          for (let from = 0; from < recording.length; from += 8 * CHUNK) {
            const count = Math.min(8 * CHUNK, recording.length - from);
            const columns = await dbg.ask('summing gas', (session) => session.readSteps(from, count));
            if (mine !== current || columns === undefined) return;
            made.feed(columns);
            setDone(made.steps);
          }
          const { outcome } = recording;
          if (recording.end === 'complete' && outcome.kind === 'kept') made.finish(outcome.gasUsed);
          await dbg.refreshFunctions();
          if (mine === current) setProfile(made);
        };
        void sum();
      },
    ),
  );
  onCleanup(() => {
    current += 1;
  });

  const position = () => dbg.position()?.state;
  const limit = (): bigint => dbg.recording()?.gasLimit ?? 0n;
  const part = (): number => (limit() === 0n ? 0 : Number(((position()?.gasUsed ?? 0n) * 10_000n) / limit()) / 100);
  const nameOf = (fn: number): string => functionName(dbg.functions()[fn]);
  const functions = createMemo(() => {
    const of = profile();
    return of === undefined ? [] : byFunction(of).slice(0, ROWS);
  });
  const blocks = createMemo(() => {
    const of = profile();
    return of === undefined ? [] : byBlock(of, (fn) => dbg.functions()[fn]?.blocks ?? [0]).slice(0, ROWS);
  });
  const boxes = createMemo(() => {
    const of = profile();
    return of === undefined ? [] : flame(of);
  });
  const levels = createMemo(() => boxes().reduce((most, box) => Math.max(most, box.level + 1), 1));

  return (
    <div class="gas scroll">
      <div class="gas-now">
        <div class="bar" role="img" aria-label={`${part()} percent of the gas limit used`}>
          <div style={{ width: `${part()}%` }} />
        </div>
        <span>
          used <b>{grouped(position()?.gasUsed ?? 0n)}</b>
        </span>
        <span>
          left <b>{grouped(position()?.gasLeft ?? 0n)}</b>
        </span>
        <span>limit {grouped(limit())}</span>
        <Show
          when={profile()}
          fallback={
            <Show when={dbg.recording()}>
              {(r) => <span class="dim">summing {Math.round((done() / Math.max(1, r().length)) * 100)} %</span>}
            </Show>
          }
        >
          {(of) => (
            <button
              type="button"
              class="small"
              onClick={() => download('gas.speedscope.json', speedscope(of(), dbg.program().title, nameOf))}
            >
              Speedscope file
            </button>
          )}
        </Show>
      </div>
      <Show when={boxes().length > 0}>
        <div class="flame" style={{ height: `${levels() * 20}px` }} role="img" aria-label="Flame graph of gas">
          <For each={boxes()}>
            {(box) => (
              <div
                class={`box hue-${box.fn % 6}`}
                style={{ left: `${box.x * 100}%`, width: `${box.width * 100}%`, top: `${box.level * 20}px` }}
                title={`${nameOf(box.fn)}: ${grouped(box.gas)} with callees, ${grouped(box.self)} itself, ${grouped(box.calls)} calls`}
              >
                {nameOf(box.fn)}
              </div>
            )}
          </For>
        </div>
      </Show>
      <div class="gas-tables">
        <table>
          <caption>By function</caption>
          <thead>
            <tr>
              <th scope="col">function</th>
              <th scope="col">calls</th>
              <th scope="col">steps</th>
              <th scope="col">itself</th>
              <th scope="col">with callees</th>
              <th scope="col">a call</th>
            </tr>
          </thead>
          <tbody>
            <For each={functions()}>
              {(cost) => (
                <tr>
                  <td>{nameOf(cost.fn)}</td>
                  <td class="num">{grouped(cost.calls)}</td>
                  <td class="num">{grouped(cost.steps)}</td>
                  <td class="num">{grouped(cost.self)}</td>
                  <td class="num">{grouped(cost.total)}</td>
                  <td class="num">{grouped(Math.round(cost.total / Math.max(1, cost.calls)))}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
        <table>
          <caption>By basic block</caption>
          <thead>
            <tr>
              <th scope="col">block</th>
              <th scope="col">entered</th>
              <th scope="col">gas</th>
              <th scope="col">each</th>
            </tr>
          </thead>
          <tbody>
            <For each={blocks()}>
              {(block) => (
                <tr>
                  <td>
                    {nameOf(block.fn)}
                    <i>+{block.start}</i>
                  </td>
                  <td class="num">{grouped(block.count)}</td>
                  <td class="num">{grouped(block.gas)}</td>
                  <td class="num">{grouped(Math.round(block.gas / Math.max(1, block.count)))}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </div>
  );
}

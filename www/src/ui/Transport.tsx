/** Moving through the recording: buttons, the timeline, the position, how it ends. */

import { createEffect, createSignal, type JSX, onCleanup, onMount, Show } from 'solid-js';
import { grouped } from '../lib/values';
import type { Recording } from '../vm/debugger';
import { describeOutcome } from '../vm/outcome';
import type { Command } from './commands';
import { useApp } from './context';
import { Icon, type IconName } from './icons';

export interface TransportProps {
  readonly commands: readonly Command[];
  /** Where the find field is given to. */
  readonly findField: (field: HTMLInputElement) => void;
}

export function Transport(props: TransportProps): JSX.Element {
  const app = useApp();
  const { dbg } = app;
  const [query, setQuery] = createSignal('');
  const button = (id: string, icon: IconName, mirrored: boolean): JSX.Element => {
    const command = props.commands.find((c) => c.id === id);
    return (
      <button
        type="button"
        class="square"
        disabled={dbg.recording() === undefined}
        aria-label={command?.title}
        title={`${command?.title} (${command?.keys.join(', ')})`}
        onClick={() => void command?.run()}
      >
        <Icon name={icon} mirrored={mirrored} />
      </button>
    );
  };
  const failed = (): boolean => dbg.recording()?.outcome.success === false;

  return (
    <section class="transport" aria-label="Stepping">
      <div class="buttons" role="toolbar" aria-label="Step">
        {button('start', 'end', true)}
        {button('run-back', 'run', true)}
        {button('out-back', 'out', true)}
        {button('over-back', 'over', true)}
        {button('into-back', 'step', true)}
        <span class="divider" />
        {button('into', 'step', false)}
        {button('over', 'over', false)}
        {button('out', 'out', false)}
        {button('run', 'run', false)}
        {button('end', 'end', false)}
        {button('failure', 'fail', false)}
      </div>
      <Timeline />
      <form
        class="find"
        onSubmit={(event) => {
          event.preventDefault();
          // The keys move on from what was found.
          if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
          void app.find(query(), 1);
        }}
      >
        <input
          ref={(field) => props.findField(field)}
          type="search"
          placeholder="step, function, instruction"
          aria-label="Find a step, a function or an instruction"
          title="A number goes to that step; text finds functions and instructions (/), n and N repeat"
          value={query()}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
      </form>
      <div class="readout" aria-live="off">
        <span class="step-number" data-step={dbg.position()?.step ?? ''}>
          <b>{grouped(dbg.position()?.step ?? 0)}</b> / {grouped(dbg.recording()?.length ?? 0)}
        </span>
        <span class="gas-number" title="Gas used, and left">
          gas <b>{grouped(dbg.position()?.state.gasUsed ?? 0n)}</b>
          <span class="wide"> · left {grouped(dbg.position()?.state.gasLeft ?? 0n)}</span>
        </span>
      </div>
      <Show when={dbg.recording()}>
        {(recording) => (
          <div class="outcome" classList={{ failed: failed() }}>
            <button type="button" class="link" onClick={() => void dbg.toFailure()} title="Go there (x)">
              {describeOutcome(recording().outcome)}
            </button>
            <Show when={recording().end !== 'complete'}>
              <span class="cut">
                {' '}
                The recording ends after {grouped(recording().length)} steps (
                {recording().end === 'steps' ? 'its limit' : 'the frame stack is full'}).
              </span>
            </Show>
          </div>
        )}
      </Show>
    </section>
  );
}

function Timeline(): JSX.Element {
  const { dbg } = useApp();
  let canvas!: HTMLCanvasElement;
  const [width, setWidth] = createSignal(0);
  onMount(() => {
    const observer = new ResizeObserver(() => setWidth(canvas.clientWidth));
    observer.observe(canvas);
    setWidth(canvas.clientWidth);
    onCleanup(() => observer.disconnect());
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => draw(canvas, dbg.recording());
    scheme.addEventListener('change', redraw);
    const themed = new MutationObserver(redraw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    onCleanup(() => {
      scheme.removeEventListener('change', redraw);
      themed.disconnect();
    });
  });
  createEffect(() => {
    const recording = dbg.recording();
    if (width() > 0) draw(canvas, recording);
  });
  const part = (): number => {
    const length = dbg.recording()?.length ?? 0;
    return length === 0 ? 0 : ((dbg.position()?.step ?? 0) / length) * 100;
  };
  return (
    <div class="timeline" style={{ '--at': `${part()}%` }}>
      <canvas ref={canvas} />
      <div class="playhead" />
      <input
        type="range"
        min="0"
        max={dbg.recording()?.length ?? 0}
        step="1"
        value={dbg.position()?.step ?? 0}
        disabled={dbg.recording() === undefined}
        aria-label="Step"
        onInput={(event) => void dbg.seek(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

/** The call depth over the recording as a silhouette; marks at the collections and at a failure. */
function draw(canvas: HTMLCanvasElement, recording: Recording | undefined): void {
  const scale = devicePixelRatio;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.clearRect(0, 0, width, height);
  if (recording === undefined || recording.depths.length === 0) return;
  const { depths, collections, length, outcome } = recording;
  const style = getComputedStyle(canvas);
  let deepest = 0;
  for (const depth of depths) deepest = Math.max(deepest, depth);
  context.fillStyle = style.color;
  context.beginPath();
  context.moveTo(0, height);
  depths.forEach((depth, i) => {
    const y = height - ((depth + 1) / (deepest + 1.5)) * (height - 2 * scale);
    context.lineTo((i / depths.length) * width, y);
    context.lineTo(((i + 1) / depths.length) * width, y);
  });
  context.lineTo(width, height);
  context.fill();
  context.fillStyle = style.caretColor;
  for (const { step } of collections)
    context.fillRect(((step + 0.5) / length) * width - scale, 0, 2 * scale, 5 * scale);
  if (!outcome.success) {
    context.fillStyle = style.outlineColor;
    context.fillRect(width - 3 * scale, 0, 3 * scale, height);
  }
}

/** What the tests do with a page: open it, move in it, read the screen. */

import { readFileSync } from 'node:fs';
import { expect, type Page } from '@playwright/test';

/** A file of the corpora. */
export function corpus(path: string): Buffer {
  return readFileSync(new URL(`../../tests/${path}`, import.meta.url));
}

/** Opens the page, by default with an example, and waits until a call is recorded. */
export async function open(page: Page, example = 'vectors'): Promise<void> {
  await page.goto(`#example=${example}`);
  await ready(page);
}

/** Waits until a call is recorded. */
export async function ready(page: Page): Promise<void> {
  await expect(page.locator('.app')).toHaveAttribute('data-status', 'ready', { timeout: 30_000 });
}

/** The step that is shown. */
export async function stepOf(page: Page): Promise<number> {
  return Number(await page.locator('.step-number').getAttribute('data-step'));
}

/** Waits for a step. */
export async function atStep(page: Page, step: number): Promise<void> {
  await expect(page.locator('.step-number')).toHaveAttribute('data-step', String(step), { timeout: 20_000 });
}

/** Number of steps of the recording. */
export async function lengthOf(page: Page): Promise<number> {
  return Number(await page.getByRole('slider', { name: 'Step' }).getAttribute('max'));
}

/** Presses a key and waits until the step is another one. */
export async function press(page: Page, key: string): Promise<void> {
  const before = await page.locator('.step-number').getAttribute('data-step');
  await page.keyboard.press(key);
  await expect(page.locator('.step-number')).not.toHaveAttribute('data-step', before ?? '', { timeout: 20_000 });
}

/** The screen as text: what a person sees of the state and the code, without highlights, which depend on the direction. */
export async function screen(page: Page): Promise<string> {
  return page.evaluate(() =>
    ['.state', '.readout', '.bytecode-pane .line.current', '.source-pane .line.current']
      .map((selector) => document.querySelector(selector)?.textContent ?? '')
      .join('\n'),
  );
}

/**
 * Presses a key so often, inside of the page, each time after the screen has the next step; the screens at every `every`-th step come back,
 * and how long each step took, in milliseconds.
 */
export async function pressMany(
  page: Page,
  key: string,
  count: number,
  every: number,
): Promise<{ readonly screens: readonly string[]; readonly times: readonly number[] }> {
  return page.evaluate(
    async ({ key, count, every }) => {
      const number = document.querySelector('.step-number');
      const read = (): string =>
        ['.state', '.readout', '.bytecode-pane .line.current', '.source-pane .line.current']
          .map((selector) => document.querySelector(selector)?.textContent ?? '')
          .join('\n');
      const screens: string[] = [read()];
      const times: number[] = [];
      const changed = (): Promise<void> =>
        new Promise((resolve, reject) => {
          const late = setTimeout(() => reject(new Error('no step within 60 s')), 60_000);
          const observer = new MutationObserver(() => {
            clearTimeout(late);
            observer.disconnect();
            resolve();
          });
          if (number !== null) observer.observe(number, { attributes: true });
        });
      for (let i = 1; i <= count; i += 1) {
        const began = performance.now();
        const step = changed();
        dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        await step;
        times.push(performance.now() - began);
        // The next key only when this movement is over. Not by a timer: those wait for 4 ms.
        await new Promise((resolve) => {
          const channel = new MessageChannel();
          channel.port1.onmessage = resolve;
          channel.port2.postMessage(0);
        });
        if (i % every === 0) screens.push(read());
      }
      return { screens, times };
    },
    { key, count, every },
  );
}

/** Drops files on the page. */
export async function drop(
  page: Page,
  files: readonly { readonly name: string; readonly bytes: Buffer }[],
): Promise<void> {
  await page.evaluate(
    (list) => {
      const transfer = new DataTransfer();
      for (const { name, bytes } of list) transfer.items.add(new File([Uint8Array.from(bytes)], name));
      dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    },
    files.map(({ name, bytes }) => ({ name, bytes: [...bytes] })),
  );
}

/** The middle one. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

import { expect, test } from '@playwright/test';
import { atStep, lengthOf, median, open, press, pressMany, screen, stepOf } from './playground.ts';

test('ten thousand steps forward and back: equal screens at every checkpoint', async ({ page }) => {
  test.setTimeout(600_000);
  // A small window: drawing it twenty thousand times takes longer than stepping.
  await page.setViewportSize({ width: 760, height: 480 });
  await open(page, 'memory');
  await page.keyboard.press('1');
  expect(await lengthOf(page)).toBeGreaterThan(10_000);
  const forward = await pressMany(page, 'j', 10_000, 500);
  await atStep(page, 10_000);
  const back = await pressMany(page, 'k', 10_000, 500);
  await atStep(page, 0);
  expect(back.screens).toEqual([...forward.screens].reverse());
  expect(new Set(forward.screens).size).toBe(forward.screens.length);
});

test('a step on a trace of a million is handled within 8 ms', async ({ page }) => {
  test.setTimeout(240_000);
  await open(page, 'million');
  const length = await lengthOf(page);
  expect(length).toBeGreaterThan(1_000_000);
  for (const from of [0, Math.floor(length / 2), length - 2000]) {
    await page.getByRole('slider', { name: 'Step' }).fill(String(from));
    await atStep(page, from);
    // The checkpoint interval around is replayed once.
    await pressMany(page, 'j', 5, 5);
    const { times } = await pressMany(page, 'j', 200, 200);
    const back = await pressMany(page, 'k', 200, 200);
    console.log(
      `step at ${from}: forward ${median(times).toFixed(1)} ms, back ${median(back.times).toFixed(1)} ms (medians)`,
    );
    expect(median(times)).toBeLessThanOrEqual(8);
    expect(median(back.times)).toBeLessThanOrEqual(8);
  }
});

/** One element of a sorted list by its part of the whole. */
function quantile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

test('steps over the edge of a recorded stretch are handled within 8 ms too', async ({ page }) => {
  test.setTimeout(240_000);
  await open(page, 'million');
  const edge = 61 * 8192;
  await page.getByRole('slider', { name: 'Step' }).fill(String(edge - 1000));
  await atStep(page, edge - 1000);
  // Time to draw, in which the worker records what lies on both sides.
  await page.waitForTimeout(500);
  for (const key of ['j', 'k']) {
    const { times } = await pressMany(page, key, 2000, 2000);
    const [half, most, worst] = [0.5, 0.99, 1].map((part) => quantile(times, part));
    console.log(
      `2000 × ${key}: median ${half?.toFixed(1)} ms, p99 ${most?.toFixed(1)} ms, worst ${worst?.toFixed(1)} ms`,
    );
    expect(half).toBeLessThanOrEqual(8);
  }
});

test('over and out skip calls, both ways', async ({ page }) => {
  await open(page);
  const depth = () => page.locator('.calls button.frame').count();
  // Into the call at the end of shift_point.
  while ((await depth()) < 2) await press(page, 'F11');
  const inside = await stepOf(page);
  await press(page, 'Shift+F11');
  expect(await depth()).toBe(1);
  const after = await stepOf(page);
  await press(page, 'Alt+F10');
  expect(await stepOf(page)).toBe(inside - 1);
  await press(page, 'F10');
  expect(await stepOf(page)).toBe(after);
  await press(page, 'Alt+F11');
  expect(await depth()).toBe(2);
  await press(page, 'Alt+Shift+F11');
  expect(await stepOf(page)).toBe(inside - 1);
});

test('breakpoints on an instruction stop runs both ways', async ({ page }) => {
  await open(page);
  const margin = page.locator('.bytecode-pane button.margin').nth(5);
  await margin.click();
  await expect(margin).toHaveAttribute('aria-pressed', 'true');
  await press(page, 'F5');
  const first = await stepOf(page);
  const there = await screen(page);
  expect(first).toBeGreaterThan(0);
  await page.keyboard.press('G');
  await atStep(page, await lengthOf(page));
  while ((await stepOf(page)) > first) await press(page, 'Alt+F5');
  expect(await stepOf(page)).toBe(first);
  expect(await screen(page)).toBe(there);
  await press(page, 'Alt+F5');
  expect(await stepOf(page)).toBe(0);
});

test('breakpoints on a function stop at its calls, both ways', async ({ page }) => {
  await open(page, 'generics');
  await page.keyboard.press('g');
  await atStep(page, 0);
  while ((await page.locator('.calls button.frame').count()) < 2) await press(page, 'j');
  const entry = await stepOf(page);
  await page.getByRole('button', { name: '● on call' }).click();
  await page.keyboard.press('g');
  await atStep(page, 0);
  const stops: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    await press(page, 'c');
    stops.push(await stepOf(page));
  }
  expect(stops[0]).toBe(entry);
  await press(page, 'c');
  expect(await stepOf(page)).toBe(await lengthOf(page));
  for (const stop of stops.reverse()) {
    await press(page, 'C');
    expect(await stepOf(page)).toBe(stop);
  }
});

test('the abort is one key away', async ({ page }) => {
  await open(page, 'arithmetic');
  await expect(page.locator('.outcome')).toContainText('ARITHMETIC_ERROR');
  await press(page, 'x');
  expect(await stepOf(page)).toBe((await lengthOf(page)) - 1);
  await expect(page.locator('.bytecode-pane .line.current')).toContainText(/add/i);
  await expect(page.locator('.source-pane .marked').first()).toContainText('a + b');
  await expect(page.locator('.operands .cell')).toHaveCount(2);
});

test('who wrote this, and who writes it next', async ({ page }) => {
  await open(page);
  await page.keyboard.press('G');
  await atStep(page, await lengthOf(page));
  await page.keyboard.press('g');
  await atStep(page, 0);
  for (let i = 0; i < 12; i += 1) await press(page, 'j');
  const cell = page.locator('.locals .cell').nth(3);
  await cell.hover();
  await cell.getByRole('button', { name: /next write/ }).click();
  await expect(page.locator('.step-number')).not.toHaveAttribute('data-step', '12');
  const written = await stepOf(page);
  expect(written).toBeGreaterThan(12);
});

test('the slider, a number and a text go to steps', async ({ page }) => {
  await open(page);
  await page.getByRole('slider', { name: 'Step' }).fill('40');
  await atStep(page, 40);
  await page.keyboard.press('/');
  await page.keyboard.type('7');
  await page.keyboard.press('Enter');
  await atStep(page, 7);
  await page.keyboard.press('/');
  await page.keyboard.type('sum_points');
  await page.keyboard.press('Enter');
  // First the call of it, then its first instruction.
  await expect(page.locator('.bytecode-pane .line.current')).toContainText('call sum_points');
  await press(page, 'n');
  await expect(page.locator('.bytecode-pane .detail')).toContainText('sum_points');
  await press(page, 'N');
  await expect(page.locator('.bytecode-pane .line.current')).toContainText('call sum_points');
});

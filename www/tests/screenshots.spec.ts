/** The pictures of the README. */

import { type Browser, test } from '@playwright/test';
import { atStep, lengthOf, open, press } from './playground.ts';

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

interface Picture {
  readonly name: string;
  readonly example: string;
  readonly step?: number | 'end';
  readonly tab?: string;
  readonly mobile?: string;
  readonly viewport: typeof WIDE;
  readonly colorScheme: 'light' | 'dark';
  readonly keys?: readonly string[];
}

const BOTH = ['light', 'dark'] as const;

const PICTURES: readonly Picture[] = [
  ...BOTH.flatMap((colorScheme): Picture[] => [
    { name: 'vectors', example: 'vectors', step: 80, viewport: WIDE, colorScheme },
    { name: 'phone', example: 'vectors', step: 80, viewport: PHONE, colorScheme },
    { name: 'storage', example: 'transfer', step: 'end', tab: 'Storage', viewport: WIDE, colorScheme },
  ]),
  { name: 'generics', example: 'generics', viewport: WIDE, colorScheme: 'light', keys: ['j', 'j'] },
  { name: 'abort', example: 'arithmetic', viewport: WIDE, colorScheme: 'dark', keys: ['x'] },
  { name: 'trace', example: 'million', step: 500_000, tab: 'Trace', viewport: WIDE, colorScheme: 'light' },
  { name: 'types', example: 'vectors', step: 60, tab: 'Types', viewport: WIDE, colorScheme: 'dark' },
  { name: 'gas', example: 'orderbook', step: 200, tab: 'Gas', viewport: WIDE, colorScheme: 'light' },
  { name: 'memory', example: 'memory', tab: 'Memory', viewport: WIDE, colorScheme: 'dark', keys: ['m', 'j'] },
  { name: 'flow', example: 'memory', step: 900, tab: 'Flow', viewport: WIDE, colorScheme: 'light' },
  { name: 'phone-state', example: 'closures', step: 20, mobile: 'State', viewport: PHONE, colorScheme: 'dark' },
  { name: 'phone-more', example: 'transfer', step: 'end', mobile: 'More', viewport: PHONE, colorScheme: 'light' },
];

async function take(browser: Browser, picture: Picture): Promise<void> {
  const { viewport, colorScheme } = picture;
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await context.newPage();
  await open(page, picture.example);
  if (picture.step !== undefined) {
    const step = picture.step === 'end' ? await lengthOf(page) : picture.step;
    await page.getByRole('slider', { name: 'Step' }).fill(String(step));
    await atStep(page, step);
    if (picture.step !== 'end') await press(page, 'j');
  }
  for (const key of picture.keys ?? []) await press(page, key);
  if (picture.tab !== undefined) await page.getByRole('tab', { name: picture.tab }).click();
  if (picture.mobile !== undefined)
    await page.getByRole('navigation').getByRole('button', { name: picture.mobile }).click();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.mouse.move(0, 0);
  await page.waitForTimeout(400);
  await page.screenshot({ path: `screenshots/${picture.name}-${viewport.width}-${colorScheme}.png` });
  await context.close();
}

for (const picture of PICTURES) {
  test(`picture ${picture.name}, ${picture.viewport.width} px, ${picture.colorScheme}`, async ({ browser }) => {
    await take(browser, picture);
  });
}

test('picture of the assembly editor', async ({ browser }) => {
  const context = await browser.newContext({ viewport: WIDE, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto('#example=verifier');
  await page.getByRole('button', { name: 'Show in assembly' }).click();
  await page.locator('.cm-lintRange-error').waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path: 'screenshots/assembly-1440-light.png' });
  await context.close();
});

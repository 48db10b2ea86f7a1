import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { expect, type Page, test } from '@playwright/test';
import { atStep, lengthOf, open, press, ready } from './playground.ts';

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What axe finds that is serious. */
async function serious(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })),
    }));
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((n) => `${n.html.slice(0, 160)} ${n.failureSummary}`).join(' | ')}`);
}

test('axe finds nothing serious, in any view and both themes', async ({ page }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await open(page);
    await page.keyboard.press('G');
    await atStep(page, await lengthOf(page));
    for (const tab of ['Lowering', 'Trace', 'Storage', 'Types', 'Gas', 'Memory', 'Modules', 'Flow']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.waitForTimeout(150);
      expect(await serious(page), `${colorScheme} ${tab}`).toEqual([]);
    }
    for (const key of ['?', 'Control+K', 'e', 'p', 'Shift+F8']) {
      await page.keyboard.press(key);
      await expect(page.getByRole('dialog')).toBeVisible();
      await page.waitForTimeout(300);
      expect(await serious(page), `${colorScheme} ${key}`).toEqual([]);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
    }
  }
});

test('no request leaves the origin, and the own script is small', async ({ page, baseURL }) => {
  const scripts = new Map<string, number>();
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!['blob:', 'data:'].includes(protocol) && origin !== new URL(baseURL ?? '').origin)
      elsewhere.push(request.url());
  });
  page.on('response', async (response) => {
    if (response.request().resourceType() !== 'script') return;
    const body = await response.body().catch(() => undefined);
    if (body !== undefined) scripts.set(new URL(response.url()).pathname, gzipSync(body, { level: 9 }).length);
  });
  await open(page);
  const bytes = [...scripts.values()].reduce((a, b) => a + b, 0);
  console.log(`scripts before CodeMirror: ${(bytes / 1024).toFixed(1)} KB gzip (${[...scripts.keys()].join(', ')})`);
  expect(bytes).toBeLessThanOrEqual(120 * 1024);
  await page.keyboard.press('e');
  await expect(page.locator('.cm-editor')).toBeVisible();
  expect(elsewhere).toEqual([]);
});

test('the first step comes within 1.5 s of a cold load', async ({ browser }) => {
  const times: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    const page = await context.newPage();
    await page.goto('about:blank');
    const began = performance.now();
    await page.goto('./', { waitUntil: 'commit' });
    await page.locator('.app[data-status="ready"]').waitFor();
    await page.keyboard.press('j');
    await page.locator('.step-number[data-step="1"]').waitFor();
    times.push(performance.now() - began);
    await context.close();
  }
  console.log(`first step after ${times.map((t) => Math.round(t)).join(', ')} ms`);
  expect(Math.min(...times)).toBeLessThanOrEqual(1500);
});

test('it works offline after the first load', async ({ page, context }) => {
  await open(page);
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    if (registration.active?.state !== 'activated') {
      await new Promise((resolve) => registration.active?.addEventListener('statechange', resolve));
    }
  });
  await context.setOffline(true);
  await page.goto('./');
  await ready(page);
  await page.locator('.top select').selectOption('transfer');
  await expect(page.locator('.outcome')).toContainText('returned');
  await page.keyboard.press('e');
  await expect(page.locator('.cm-editor')).toBeVisible();
});

test('nothing moves while stepping', async ({ page }) => {
  await open(page);
  const boxes = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('.pane, .dock, .transport, .call, .top, .tabs')].map((e) => {
        const { x, y, width, height } = e.getBoundingClientRect();
        return [x, y, width, height].join(' ');
      }),
    );
  const before = await boxes();
  const length = await lengthOf(page);
  for (let i = 0; i < 30; i += 1) await press(page, 'j');
  expect(await boxes()).toEqual(before);
  await page.keyboard.press('G');
  await atStep(page, length);
  expect(await boxes()).toEqual(before);
});

test('all commands have keys, and the palette runs them', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Control+K');
  await page.keyboard.type('go to the end');
  await page.keyboard.press('Enter');
  await atStep(page, await lengthOf(page));
});

test('a phone shows it without scrolling sideways', async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true });
  const page = await context.newPage();
  await open(page);
  await page.getByRole('button', { name: 'Step into' }).tap();
  await atStep(page, 1);
  for (const tab of ['Step', 'Code', 'State', 'More']) {
    await page.getByRole('navigation').getByRole('button', { name: tab }).tap();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await serious(page), tab).toEqual([]);
  }
  await context.close();
});

test('a key right after Escape opens the next dialog', async ({ page }) => {
  await open(page);
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  // Both in one go: the dialog's own event that it was closed comes after the second key.
  await page.evaluate(() => {
    document.querySelector('dialog')?.dispatchEvent(new Event('cancel'));
    document.querySelector('dialog')?.close();
    dispatchEvent(new KeyboardEvent('keydown', { key: 'p' }));
  });
  await expect(page.getByRole('dialog', { name: 'Paste bytecode' })).toBeVisible();
  await page.waitForTimeout(200);
  await expect(page.getByRole('dialog', { name: 'Paste bytecode' })).toBeVisible();
  for (const key of ['?', 'p', 'Shift+F8', 'Control+K']) {
    await Promise.all([page.keyboard.press('Escape'), page.keyboard.press(key)]);
    await expect(page.getByRole('dialog')).toHaveCount(1);
    await expect(page.getByRole('dialog')).toBeVisible();
  }
});

test('keys that are pressed while the example is being recorded count', async ({ page }) => {
  await page.goto('#example=vectors');
  await page.locator('.app').waitFor();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press('j');
  await ready(page);
  await atStep(page, 3);
});

test('a part of another page steps, and opens the whole at the same step', async ({ page, context }) => {
  await page.goto('?embed#example=vectors');
  await ready(page);
  await expect(page.locator('.top select, .call')).toHaveCount(0);
  for (let i = 0; i < 5; i += 1) await press(page, 'j');
  expect(await serious(page)).toEqual([]);
  const [whole] = await Promise.all([context.waitForEvent('page'), page.getByRole('button', { name: 'Open' }).click()]);
  await ready(whole);
  await atStep(whole, 5);
  await expect(whole.locator('.call')).toHaveCount(1);
});

import { expect, test } from '@playwright/test';
import { EXAMPLE_IDS } from './examples.ts';
import { atStep, corpus, drop, lengthOf, open, press, ready, screen, stepOf } from './playground.ts';

for (const { id, outcome } of EXAMPLE_IDS) {
  test(`example ${id} works at once`, async ({ page }) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`#example=${id}`);
    if (id === 'verifier') {
      await expect(page.locator('.problem')).toContainText(outcome);
    } else {
      await ready(page);
      await expect(page.locator('.outcome')).toContainText(outcome);
      await press(page, 'j');
      await expect(page.locator('.bytecode-pane .line.current')).toHaveCount(1);
    }
    expect(errors).toEqual([]);
  });
}

test('generics show three instances side by side', async ({ page }) => {
  await open(page, 'generics');
  await page.keyboard.press('g');
  await atStep(page, 0);
  while ((await page.locator('.calls button.frame').count()) < 2) await press(page, 'j');
  await expect(page.locator('.lowering .column')).toHaveCount(3);
  await expect(page.locator('.lowering .column h3')).toContainText([/u64/, /vector<u8>/, /Point/]);
});

test('a transfer shows storage before and after', async ({ page }) => {
  await open(page, 'transfer');
  await page.keyboard.press('G');
  await atStep(page, await lengthOf(page));
  const storage = page.locator('.storage');
  await expect(storage).toContainText('balance');
  await expect(storage.locator('td.now', { hasText: '380' })).toHaveCount(1);
  await expect(storage).toContainText('Transferred');
});

test('types have layouts, gas has its tables, memory its bytes', async ({ page }) => {
  await open(page);
  await page.keyboard.press('G');
  await atStep(page, await lengthOf(page));
  await page.getByRole('tab', { name: 'Types' }).click();
  await page.getByRole('button', { name: 'Path', exact: true }).first().click();
  await expect(page.locator('.types-detail .layout')).toContainText('points');
  await expect(page.locator('.types-detail')).toContainText(/\d+ bytes, aligned to/);
  await page.getByRole('tab', { name: 'Gas' }).click();
  await expect(page.locator('.gas-tables')).toContainText('shift_point');
  await expect(page.locator('.flame .box')).not.toHaveCount(0);
  await page.getByRole('tab', { name: 'Memory' }).click();
  await expect(page.locator('.memory .hex').first()).toHaveText(/[0-9a-f]{2}/);
});

test('a share link brings everything to a fresh profile', async ({ page, browser }) => {
  await open(page, 'transfer');
  for (let i = 0; i < 7; i += 1) await press(page, 'j');
  await page.locator('.bytecode-pane button.margin').nth(12).click();
  await page.getByRole('tab', { name: 'Gas' }).click();
  await page.keyboard.press('y');
  await expect(page).toHaveURL(/#1\./);
  const shown = await screen(page);
  const url = page.url();

  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(url);
  await ready(other);
  await atStep(other, 7);
  expect(await screen(other)).toBe(shown);
  await expect(other.getByRole('tab', { name: 'Gas' })).toHaveAttribute('aria-selected', 'true');
  await expect(other.locator('.line.armed')).not.toHaveCount(0);
  await expect(other.locator('.source-pane .line.current')).toHaveCount(1);
  await context.close();
});

test('a damaged link says so, and the page works', async ({ page }) => {
  await page.goto('#1.AAAAAAAA');
  await expect(page.locator('.notice')).toContainText('damaged');
  await ready(page);
});

for (const version of ['v6', 'v7', 'v8']) {
  test(`a dropped module that the page has never seen runs (${version})`, async ({ page }) => {
    await open(page);
    await drop(page, [{ name: 'recursion.mv', bytes: corpus(`golden/bytecode/${version}/recursion.mv`) }]);
    await expect(page.locator('.call select')).toContainText('recursion::fib');
    await page.locator('.call select').selectOption('0xcafe::recursion::fib');
    await page.locator('.call input[aria-label^="argument 0"]').fill('10');
    await page.getByRole('button', { name: 'Record' }).click();
    await expect(page.locator('.outcome')).toContainText('returned 55');
    await press(page, 'j');
    expect(await stepOf(page)).toBe(1);
  });
}

test('modules of the other versions run too', async ({ page }) => {
  for (const version of ['v9', 'v10']) {
    await open(page);
    await drop(page, [{ name: 'enum.mv', bytes: corpus(`opcodes/bytecode/${version}/enum_i128.mv`) }]);
    await expect(page.locator('.call select optgroup')).not.toHaveCount(0);
    await ready(page);
    await press(page, 'j');
  }
});

test('source and map dropped with a module are shown', async ({ page }) => {
  await open(page);
  await drop(page, [
    { name: 'enums.mv', bytes: corpus('golden/bytecode/v8/enums.mv') },
    { name: 'enums.mvsm', bytes: corpus('golden/bytecode/v8/enums.mvsm') },
    { name: 'enums.move', bytes: corpus('golden/sources/enums.move') },
  ]);
  await expect(page.locator('.source-pane .detail')).toContainText('enums');
  await expect(page.locator('.source-pane .line.current .marked')).not.toHaveCount(0);
});

test('a malformed file is an error in the page, which goes on', async ({ page }) => {
  await open(page);
  const broken = Buffer.from(corpus('golden/bytecode/v8/recursion.mv'));
  broken.fill(0xff, 40, 80);
  await drop(page, [{ name: 'broken.mv', bytes: broken }]);
  await expect(page.locator('.problem')).toContainText(/[A-Z_]{6,} \(\d+\)/);
  await drop(page, [{ name: 'text.mv', bytes: Buffer.from('this is no module') }]);
  await expect(page.locator('.problem')).toContainText('BAD_MAGIC');
  await drop(page, [{ name: 'recursion.mv', bytes: corpus('golden/bytecode/v8/recursion.mv') }]);
  await ready(page);
  await press(page, 'j');
});

test('pasted hex is a module', async ({ page }) => {
  await open(page);
  await page.keyboard.press('p');
  await page.getByLabel('Bytecode as hexadecimal text').fill('0xa11');
  await expect(page.getByRole('dialog')).toContainText('not pairs');
  await page.getByLabel('Bytecode as hexadecimal text').fill(corpus('golden/bytecode/v8/bools.mv').toString('hex'));
  await page.getByRole('button', { name: 'Open', exact: true }).last().click();
  await expect(page.locator('.call select')).toContainText('bools::');
});

test('arguments are typed, and what is wrong with one stands at it', async ({ page }) => {
  await open(page, 'arithmetic');
  await page.locator('.call input[aria-label^="argument 0"]').fill('300');
  await page.keyboard.press('Enter');
  await expect(page.locator('.call .field.wrong em')).toHaveText('a u8 is 0 to 255');
  await page.locator('.call input[aria-label^="argument 0"]').fill('100');
  await page.keyboard.press('Control+Enter');
  await expect(page.locator('.outcome')).toContainText('returned 200');
});

test('assembly: errors stand in the text, and what assembles runs', async ({ page }) => {
  await open(page);
  await page.keyboard.press('e');
  const editor = page.getByRole('textbox', { name: 'Assembly' });
  await expect(editor).toBeVisible();
  await expect(page.locator('.editor footer')).toContainText('Assembles to');
  await editor.press('Control+A');
  await page.keyboard.insertText('module 0xcafe::t\n\npublic fun f(x: u64): u64\n    copy_loc x\n    addd\n    ret\n');
  await expect(page.locator('.editor footer')).toContainText('line 5');
  await expect(page.locator('.cm-lintRange-error')).toHaveText('addd');
  await editor.press('Control+A');
  await page.keyboard.insertText(
    'module 0xcafe::t\n\npublic fun f(x: u64): u64\n    copy_loc x\n    move_loc x\n    add\n    ret\n',
  );
  await expect(page.locator('.editor footer')).toContainText('Assembles to');
  await page.getByRole('button', { name: 'Use and record' }).click();
  await expect(page.locator('.outcome')).toContainText('returned 0');
});

test('a verifier error stands at its instruction', async ({ page }) => {
  await page.goto('#example=verifier');
  await expect(page.locator('.problem')).toContainText(/refused/i);
  await page.getByRole('button', { name: 'Show in assembly' }).click();
  await expect(page.locator('.cm-lintRange-error')).toHaveText('copy_loc coin');
});

test('a loop without an end hits its limit, or is stopped; the page stays usable', async ({ page }) => {
  await open(page, 'gas');
  await expect(page.locator('.outcome')).toContainText('OUT_OF_GAS');
  await page.locator('.gas-limit input').fill('9000000000000000');
  await page.getByRole('button', { name: 'Record' }).click();
  await expect(page.locator('.busy')).toBeVisible({ timeout: 5000 });
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(page.locator('.problem')).toContainText('restarted');
  await page.locator('.gas-limit input').fill('1000000');
  await page.getByRole('button', { name: 'Record' }).click();
  await ready(page);
  await expect(page.locator('.outcome')).toContainText('OUT_OF_GAS');
  await press(page, 'j');
});

test('a hang is ended by the watchdog', async ({ page }) => {
  await open(page, 'gas');
  await page.locator('.gas-limit input').fill('9000000000000000');
  await page.getByRole('button', { name: 'Record' }).click();
  await expect(page.locator('.problem')).toContainText('did not answer', { timeout: 40_000 });
  await page.locator('.top select').selectOption('vectors');
  await ready(page);
  await press(page, 'j');
});

test('the memory example shows its collections, before and after', async ({ page }) => {
  await open(page, 'memory');
  const heap = page.getByRole('region', { name: 'Heap' });
  await expect(page.locator('.collections')).toContainText(/Collections: 0 before this step, [1-9]/);
  await press(page, 'm');
  await expect(page.locator('.collections')).toContainText(/This step collects: [\d\s]+ of [\d\s]+ bytes are alive/);
  const before = await heap.locator('tbody tr').count();
  await press(page, 'j');
  await expect(page.locator('.collections')).toContainText(/Collected: .* moved to the start/);
  await expect.poll(() => heap.locator('tbody tr').count()).toBeLessThan(before / 2);
  await expect(heap.locator('tbody tr.changed').first()).toBeVisible();
  const after = await stepOf(page);
  await press(page, 'm');
  await press(page, 'M');
  expect(await stepOf(page)).toBe(after - 1);
});

test('function values show what they captured', async ({ page }) => {
  await open(page, 'closures');
  const functions = page.locator('.state', { hasText: /__lambda.*\(5/ });
  for (let i = 0; i < 8 && (await functions.count()) === 0; i += 1) await press(page, 'j');
  await expect(functions).toHaveCount(1);
});

test('the control flow shows the path that was taken', async ({ page }) => {
  await open(page);
  await page.getByRole('tab', { name: 'Flow' }).click();
  await expect(page.locator('.flow .block.current')).toHaveCount(1);
  // The body of the loop, four times.
  await expect(page.locator('.flow .block.taken', { hasText: '× 4' })).not.toHaveCount(0);
  await expect(page.locator('.flow .arc.taken')).not.toHaveCount(0);
  const exit = page.locator('.flow .block').last();
  await exit.click();
  await expect(exit).toHaveClass(/current/);
});

test('a breakpoint with a condition', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Shift+F8');
  const field = page.getByRole('textbox', { name: /A function, an instruction/ });
  await field.fill('0xcafe::playground::shift_point+10 if l4 = 2');
  await expect(page.getByRole('button', { name: 'Add' })).toBeDisabled();
  await field.fill('0xcafe::playground::shift_point+10 if l4 == 2');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await press(page, 'c');
  await expect(page.locator('.locals .cell', { hasText: /^i\s*2/ })).toHaveCount(1);
  await press(page, 'c');
  expect(await stepOf(page)).toBe(await lengthOf(page));
  await press(page, 'C');
  await expect(page.locator('.locals .cell', { hasText: /^i\s*2/ })).toHaveCount(1);
});

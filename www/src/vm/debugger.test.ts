import { createRoot } from 'solid-js';
import { expect, test } from 'vitest';
import { Double, type DoubleOptions, recordingOf } from '../testing/double';
import { Debugger } from './debugger';
import { findStep } from './find';
import { EMPTY_PROGRAM, type Program } from './program';

const PROGRAM: Program = {
  ...EMPTY_PROGRAM,
  modules: [{ bytes: Uint8Array.of(1) }],
  call: { function: '0xcafe::m::main', typeArguments: [], signers: [], args: ['1'] },
};

async function opened(options: DoubleOptions = {}, patience?: number) {
  const double = new Double(options);
  const dbg = createRoot(() => new Debugger(double.spawn, undefined, patience));
  await dbg.open(PROGRAM);
  return { dbg, double };
}

const at = (dbg: Debugger) => dbg.position()?.step;

test('a program is published, recorded and shown at its start', async () => {
  const { dbg, double } = await opened();
  expect(dbg.status().kind).toBe('ready');
  expect(double.asked).toContain('publish');
  expect(dbg.recording()?.length).toBe(15);
  expect(at(dbg)).toBe(0);
});

test('steps go into, over and out, both ways', async () => {
  const { dbg } = await opened();
  await dbg.step('into');
  await dbg.step('into');
  expect(at(dbg)).toBe(2);
  expect(dbg.position()?.state.frames.length).toBe(2);
  await dbg.step('out');
  expect(at(dbg)).toBe(4);
  await dbg.step('over', 'back');
  expect(at(dbg)).toBe(1);
  await dbg.step('over');
  expect(at(dbg)).toBe(4);
  await dbg.step('into', 'back');
  expect(at(dbg)).toBe(3);
  await dbg.step('out', 'back');
  expect(at(dbg)).toBe(1);
});

test('runs stop at breakpoints both ways, else at the ends', async () => {
  const { dbg } = await opened();
  dbg.toggleBreakpoint('0xcafe::m::leaf+1');
  await dbg.run();
  expect(at(dbg)).toBe(3);
  await dbg.run();
  expect(at(dbg)).toBe(8);
  await dbg.run('back');
  expect(at(dbg)).toBe(3);
  dbg.toggleBreakpoint('0xcafe::m::leaf+1');
  await dbg.run();
  expect(at(dbg)).toBe(15);
  await dbg.run('back');
  expect(at(dbg)).toBe(0);
});

test('the abort is the last step of a recording that fails', async () => {
  const { dbg } = await opened({ aborts: true });
  await dbg.toFailure();
  expect(at(dbg)).toBe(14);
});

test('of many seeks at once only the last one counts', async () => {
  const { dbg, double } = await opened();
  const before = double.asked.filter((what) => what === 'seek').length;
  await Promise.all([dbg.seek(3), dbg.seek(5), dbg.seek(9)]);
  expect(at(dbg)).toBe(9);
  expect(double.asked.filter((what) => what === 'seek').length).toBe(before + 1);
});

test('a held key does not pile up steps', async () => {
  const { dbg } = await opened({ steps: recordingOf(1000) });
  await Promise.all(Array.from({ length: 50 }, () => dbg.step('into')));
  expect(at(dbg)).toBeLessThan(5);
});

test('a machine that hangs is ended, and the next call has a new one', async () => {
  const { dbg, double } = await opened({ hangs: 'session' }, 20);
  expect(dbg.status()).toMatchObject({ kind: 'stopped' });
  expect(double.terminated).toBe(1);
  (double.options as { hangs?: string }).hangs = '';
  await dbg.record();
  expect(dbg.status().kind).toBe('ready');
});

test('a machine that is stopped by hand leaves the program', async () => {
  const { dbg, double } = await opened();
  (double.options as { hangs?: string }).hangs = 'runUntil';
  const running = dbg.run();
  await new Promise((resolve) => setTimeout(resolve));
  dbg.stopMachine();
  await running;
  expect(dbg.status().kind).toBe('stopped');
  expect(dbg.program().call.function).toBe('0xcafe::m::main');
});

test('a binary that is no module is refused with its place', async () => {
  const { dbg } = await opened();
  await dbg.addModules([{ bytes: new Uint8Array() }]);
  expect(dbg.status()).toMatchObject({ kind: 'refused', problem: { status: 'BAD_MAGIC', byte: 0 } });
});

test('an argument that cannot be read is refused at its field', async () => {
  const { dbg } = await opened();
  dbg.editCall({ args: ['many'] });
  await dbg.record();
  expect(dbg.status()).toMatchObject({ kind: 'refused', fields: [{ field: 'argument', index: 0 }] });
});

test('steps are found by number, function and instruction, both ways', async () => {
  const { dbg } = await opened();
  expect(await findStep(dbg, '1_2', 1)).toEqual({ step: 12 });
  expect(await findStep(dbg, 'leaf', 1)).toEqual({ step: 2 });
  expect(await findStep(dbg, 'ret', 1)).toEqual({ step: 4 });
  await dbg.seek(10);
  expect(await findStep(dbg, 'leaf', -1)).toEqual({ step: 7 });
  expect(await findStep(dbg, 'nowhere', -1)).toHaveProperty('message');
});

import { expect, test } from 'vitest';
import { DEFAULT_CONFIG, type Program } from '../vm/program';
import { DEFAULT_VIEW } from '../vm/view';
import { decodeShare, encodeShare, type Shared, ShareError } from './share';

const PROGRAM: Program = {
  title: 'A ü',
  modules: [
    {
      bytes: Uint8Array.from({ length: 3000 }, (_, i) => (i * i) & 0xff),
      asset: 'known',
      source: 's',
      map: Uint8Array.of(1),
    },
    { bytes: Uint8Array.of(9, 8), source: 'module m', map: Uint8Array.of(5, 6, 7), assembled: true },
  ],
  fund: [{ address: '0xa1', amount: '5' }],
  setup: [{ function: '0x1::m::init', typeArguments: [], signers: ['0x1'], args: [] }],
  call: { function: '0x1::m::f', typeArguments: ['u8'], signers: [], args: ['1', '[2]'] },
  config: { ...DEFAULT_CONFIG, gasLimit: '77' },
  assembly: 'ret',
};
const SHARED: Shared = {
  program: PROGRAM,
  step: 42,
  breakpoints: ['0x1::m::f+3'],
  view: { ...DEFAULT_VIEW, dock: 'gas', source: false },
  engine: '0.1.0',
};
const assets = async (name: string) => (name === 'known' ? { source: 's', map: Uint8Array.of(1) } : undefined);

test('a link carries everything', async () => {
  const fragment = await encodeShare(SHARED);
  expect(fragment).toMatch(/^#1\.[\w-]+$/);
  expect(await decodeShare(fragment, assets)).toEqual(SHARED);
});

test('a source that is not known any more is left out', async () => {
  const shared = await decodeShare(await encodeShare(SHARED), async () => undefined);
  expect(shared?.program.modules[0]).toEqual({ bytes: PROGRAM.modules[0]?.bytes });
});

test('other fragments are none of ours', async () => {
  expect(await decodeShare('', assets)).toBeUndefined();
  expect(await decodeShare('#example=gas', assets)).toBeUndefined();
  await expect(decodeShare('#2.abc', assets)).rejects.toThrow(/newer/);
});

test('a damaged link is an error that says so', async () => {
  const fragment = await encodeShare(SHARED);
  for (const bad of ['#1.', '#1.!!', fragment.slice(0, 40), fragment.replace(/.$/, '!'), `#1.${'A'.repeat(64)}`]) {
    await expect(decodeShare(bad, assets)).rejects.toThrow(ShareError);
  }
});

test('a link cannot unpack to any size', async () => {
  const bomb = new Uint8Array(9 * 1024 * 1024);
  const stream = new Blob([bomb]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const text = Buffer.from(packed).toString('base64url');
  await expect(decodeShare(`#1.${text}`, assets)).rejects.toThrow(/too much/);
});

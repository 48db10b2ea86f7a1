/**
 * Builds the package into `dist/`: the wasm with cargo, its glue with wasm-bindgen, wasm-opt, then the TypeScript.
 *
 *   node scripts/build.mjs [--dev] [--watch] [--skip-wasm]
 *
 * `--dev` builds the wasm without optimizing its size. The wasm-bindgen command is taken from PATH if it has the version of the crate in
 * `Cargo.lock`, else it is installed with cargo beside the build products, once.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, watch, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(web, '..');
const flags = new Set(process.argv.slice(2));
const dev = flags.has('--dev');

/** What the wasm may take after gzip. */
const MAX_GZIP_BYTES = 900_000;

const run = (command, args, options = {}) => execFileSync(command, args, { stdio: 'inherit', cwd: root, ...options });
const tool = (name) => join(web, 'node_modules', '.bin', name);

function targetDirectory() {
  const text = execFileSync('cargo', ['metadata', '--format-version=1', '--no-deps'], {
    cwd: root,
    maxBuffer: 1 << 28,
  });
  return JSON.parse(text).target_directory;
}

async function bindgenVersion() {
  const lock = await readFile(join(root, 'Cargo.lock'), 'utf8');
  return /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)[1];
}

/** A wasm-bindgen command that fits the crate. */
function bindgen(target, version) {
  const fits = (command) =>
    spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `wasm-bindgen ${version}`;
  const own = join(target, 'web-tools', 'bin', 'wasm-bindgen');
  const found = ['wasm-bindgen', own].find(fits);
  if (found) return found;
  run('cargo', ['install', 'wasm-bindgen-cli', '--version', version, '--root', join(target, 'web-tools')]);
  return own;
}

async function buildWasm() {
  const target = targetDirectory();
  const profile = dev ? 'release' : 'web';
  run('cargo', ['build', '--profile', profile, '-p', 'monomove-web', '--lib', '--target', 'wasm32-unknown-unknown']);
  const built = join(target, 'wasm32-unknown-unknown', profile, 'monomove_web.wasm');
  const bindings = join(web, 'src', 'bindings');
  await rm(bindings, { recursive: true, force: true });
  run(bindgen(target, await bindgenVersion()), [
    ...['--target', 'web', '--out-dir', bindings, '--out-name', 'monomove'],
    ...['--omit-default-module-path', '--experimental-reset-state-function', '--remove-producers-section'],
    built,
  ]);
  await mkdir(join(web, 'dist'), { recursive: true });
  const from = join(bindings, 'monomove_bg.wasm');
  const to = join(web, 'dist', 'monomove_bg.wasm');
  if (dev) {
    await copyFile(from, to);
  } else {
    // What rustc assumes of every engine today.
    const features = [
      'bulk-memory',
      'mutable-globals',
      'nontrapping-float-to-int',
      'sign-ext',
      'reference-types',
      'multivalue',
    ];
    run(tool('wasm-opt'), ['-O3', ...features.map((name) => `--enable-${name}`), from, '-o', to]);
  }
}

async function report() {
  const wasm = await readFile(join(web, 'dist', 'monomove_bg.wasm'));
  const gzip = gzipSync(wasm, { level: 9 }).length;
  console.log(`monomove_bg.wasm: ${wasm.length} bytes, ${gzip} after gzip`);
  if (!dev && gzip > MAX_GZIP_BYTES) throw new Error(`the wasm has more than ${MAX_GZIP_BYTES} bytes after gzip`);
}

async function buildTypescript() {
  run(tool('tsc'), [], { cwd: web });
  const bindings = join(web, 'dist', 'bindings');
  await mkdir(bindings, { recursive: true });
  for (const name of ['monomove.js', 'monomove.d.ts']) {
    await copyFile(join(web, 'src', 'bindings', name), join(bindings, name));
  }
  await copyFile(join(root, 'LICENSE'), join(web, 'LICENSE'));
  // A URL import of the wasm is a string in every bundler that knows them.
  await writeFile(join(web, 'dist', 'monomove_bg.wasm.d.ts'), 'declare const url: string;\nexport default url;\n');
}

async function build() {
  if (!existsSync(join(web, 'node_modules'))) run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: web });
  if (!flags.has('--skip-wasm')) await buildWasm();
  await buildTypescript();
  await report();
}

await build();
if (flags.has('--watch')) {
  for await (const change of watch(join(web, 'src'), { recursive: true })) {
    if (!change.filename?.endsWith('.ts') || change.filename.startsWith('bindings')) continue;
    await buildTypescript().catch((error) => console.error(error.message));
  }
}

/**
 * Builds the package into `dist/`: the wasm and its glue with wasm-pack, wasm-opt, then the TypeScript.
 *
 *   node scripts/build.mjs [--dev] [--watch] [--skip-wasm]
 *
 * `--dev` builds the wasm without optimizing its size. wasm-pack, and the wasm-bindgen command that it runs, are taken from PATH if they have
 * the right versions (of wasm-bindgen: that of the crate in `Cargo.lock`), else they are installed with cargo beside the build products, once.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, watch, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(web, '..');
const flags = new Set(process.argv.slice(2));
const dev = flags.has('--dev');

const WASM_PACK = '0.15.1';

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

/** The command of a crate in its version: from PATH, or installed with cargo, quickly rather than fast. */
function command(target, crate, name, version) {
  const fits = (path) => spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `${name} ${version}`;
  const own = join(target, 'web-tools', 'bin', name);
  const found = [...process.env.PATH.split(delimiter).map((directory) => join(directory, name)), own].find(fits);
  if (found === undefined) {
    run('cargo', ['install', crate, '--version', version, '--root', join(target, 'web-tools')], {
      env: { ...process.env, CARGO_PROFILE_RELEASE_OPT_LEVEL: '1', CARGO_PROFILE_RELEASE_DEBUG: '0' },
    });
  }
  return found ?? own;
}

async function buildWasm() {
  const target = targetDirectory();
  const bindgen = command(target, 'wasm-bindgen-cli', 'wasm-bindgen', await bindgenVersion());
  const pack = command(target, 'wasm-pack', 'wasm-pack', WASM_PACK);
  const bindings = join(web, 'src', 'bindings');
  await rm(bindings, { recursive: true, force: true });
  const options = ['--mode', 'no-install', '--no-pack', '--no-gitignore'];
  run(
    pack,
    [
      ...['build', web, '--target', 'web', '--out-dir', bindings, '--out-name', 'monomove', ...options],
      ...['--profile', dev ? 'release' : 'web'],
    ],
    {
      env: {
        ...process.env,
        PATH: join(web, 'scripts', 'bindgen') + delimiter + process.env.PATH,
        MONOMOVE_WASM_BINDGEN: bindgen,
      },
    },
  );
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

/**
 * Puts the npm package `monomove` from `../web` into `node_modules`.
 *
 *   node scripts/engine.mjs [--link | --if-missing]
 *
 * What `npm pack` makes of it, so that the playground uses the package as it ships; with `--link` a link to the directory, for development. It is
 * no entry of `package.json`: npm would then hold the lock file here to the dependencies of the package's own development.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = join(dirname(fileURLToPath(import.meta.url)), '..');
const web = join(here, '..', 'web');
const target = join(here, 'node_modules', 'monomove');
const flag = process.argv[2];

if (flag === '--if-missing' && existsSync(join(target, 'package.json'))) process.exit(0);
if (!existsSync(join(web, 'dist', 'monomove_bg.wasm'))) {
  console.error('The package is not built: run `npm ci && npm run build` in web/ first.');
  process.exit(1);
}

mkdirSync(dirname(target), { recursive: true });
if (flag === '--link') {
  rmSync(target, { recursive: true, force: true });
  symlinkSync(web, target, 'junction');
} else {
  const work = mkdtempSync(join(tmpdir(), 'monomove-pack-'));
  try {
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', work], { cwd: web, encoding: 'utf8' });
    const [{ filename }] = JSON.parse(packed);
    execFileSync('tar', ['-xzf', join(work, filename), '-C', work]);
    rmSync(target, { recursive: true, force: true });
    try {
      renameSync(join(work, 'package'), target);
    } catch {
      // Another file system.
      execFileSync('cp', ['-R', join(work, 'package'), target]);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The packed package, as its users have it: in plain Node, and built by Vite in Chromium, by the snippets of the README. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('..', import.meta.url));
const place = mkdtempSync(join(tmpdir(), 'monomove-package-'));
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** The snippets of the README with this word after `js`. */
function snippets(word) {
  const readme = readFileSync(join(web, 'README.md'), 'utf8');
  return [...readme.matchAll(new RegExp(`^\`\`\`js ${word}\\n([^]*?)^\`\`\``, 'gm'))].map((match) => match[1]);
}

let tarball;
before(() => {
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', place], web));
  tarball = join(place, filename);
});
after(() => rmSync(place, { recursive: true, force: true }));

/** A fresh project that has the package. */
function project(name) {
  const directory = join(place, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  run('npm', ['install', '--no-audit', '--no-fund', '--offline', tarball], directory);
  return directory;
}

test('plain Node', () => {
  const directory = project('node-project');
  const all = snippets('node');
  assert.equal(all.length, 2);
  all.forEach((snippet, index) => {
    const file = join(directory, `snippet${index}.js`);
    writeFileSync(file, snippet);
    run(process.execPath, [file], directory);
  });
});

function chromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const paths = (process.env.PATH ?? '').split(delimiter);
  return paths.flatMap((path) => names.map((name) => join(path, name))).find((file) => existsSync(file));
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Serves a directory. */
async function serve(directory) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    const file = join(directory, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

for (const word of ['vite', 'vite-worker']) {
  test(`a fresh ${word} project in Chromium`, { skip: chromium() ? false : 'no Chromium found' }, async () => {
    const directory = project(`${word}-project`);
    const [snippet] = snippets(word);
    writeFileSync(join(directory, 'main.js'), snippet);
    const page = '<!doctype html><title>t</title><body><script type="module" src="/main.js"></script></body>';
    writeFileSync(join(directory, 'index.html'), page);
    // Vite itself is that of the package's tools: it need not be fetched again.
    symlinkSync(join(web, 'node_modules', 'vite'), join(directory, 'node_modules', 'vite'));
    run(process.execPath, [join(web, 'node_modules', 'vite', 'bin', 'vite.js'), 'build'], directory);
    const { chromium: playwright } = await import('playwright-core');
    const server = await serve(join(directory, 'dist'));
    const browser = await playwright.launch({ executablePath: chromium(), args: ['--no-sandbox'] });
    try {
      const tab = await browser.newPage();
      const problems = [];
      tab.on('pageerror', (error) => problems.push(error.message));
      tab.on('request', (request) => {
        const local = request.url().startsWith(server.url) || /^(data|blob):/.test(request.url());
        if (!local) problems.push(`request of ${request.url()}`);
      });
      await tab.goto(server.url);
      await tab.waitForFunction(() => document.body.textContent.includes('balance: 1000'), undefined, {
        timeout: 30_000,
      });
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
      server.close();
    }
  });
}

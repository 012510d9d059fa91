import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The name of the program: a hash of everything that it is made from. */
function buildOf(): string {
  const folders = ['src', 'public', '../qingting/web/src'].map(here);
  const single = ['call.html', 'rate.html', 'vite.config.ts', '../package-lock.json'].map(here);
  const hash = createHash('sha256');
  for (const file of [...folders.flatMap(filesBelow), ...single]) {
    hash.update(relative(here('..'), file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

const BUILD = buildOf();

/** Writes sw.js with the list of files that make up the shell, and build.json for the hall server. */
function serviceWorker(): Plugin {
  return {
    name: 'tablet-service-worker',
    apply: 'build',
    generateBundle: {
      // After the pages themselves were written into the bundle.
      order: 'post',
      handler(_, bundle) {
        const fixed = filesBelow(here('public')).map((file) => relative(here('public'), file));
        const files = [...Object.keys(bundle), ...fixed].sort();
        const source = readFileSync(here('src/sw.js'), 'utf8')
          .replace("'__FILES__'", JSON.stringify(files))
          .replace('__VERSION__', BUILD);
        this.emitFile({ type: 'asset', fileName: 'sw.js', source });
        const build = JSON.stringify({ build: BUILD });
        this.emitFile({ type: 'asset', fileName: 'build.json', source: build });
      },
    },
  };
}

export default defineConfig({
  base: '/tablet/',
  plugins: [vue(), serviceWorker()],
  define: { __BUILD__: JSON.stringify(BUILD) },
  build: {
    outDir: here('../hallserver/app/static/tablet'),
    emptyOutDir: true,
    target: 'chrome100',
    rolldownOptions: { input: { call: here('call.html'), rate: here('rate.html') } },
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.spec.ts'] },
});

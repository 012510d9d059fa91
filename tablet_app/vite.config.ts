import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { BOOT, bootOutput, bootable, buildOf, filesBelow } from '../qingting/web/bootable';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const BUILD = buildOf(
  ['src', 'public', '../qingting/web/src'].map(here),
  ['call.html', 'rate.html', 'vite.config.ts', '../qingting/web/bootable.ts', '../package-lock.json'].map(here),
);

/** Writes sw.js with the list of files that make up the shell. */
function serviceWorker(): Plugin {
  return {
    name: 'tablet-service-worker',
    apply: 'build',
    generateBundle: {
      // After the pages themselves were written into the bundle.
      order: 'post',
      handler(_, bundle) {
        const fixed = filesBelow(here('public')).map((file) => relative(here('public'), file));
        const files = [...Object.keys(bundle), ...fixed].filter((file) => file !== 'build.json').sort();
        const source = readFileSync(here('src/sw.js'), 'utf8')
          .replace("'__FILES__'", JSON.stringify(files))
          .replace('__VERSION__', BUILD);
        this.emitFile({ type: 'asset', fileName: 'sw.js', source });
      },
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [vue(), bootable('/tablet/', ['call', 'rate'], BUILD), serviceWorker()],
  define: { __BUILD__: JSON.stringify(BUILD) },
  build: {
    outDir: here('../hallserver/app/static/tablet'),
    emptyOutDir: true,
    target: 'chrome100',
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { call: here('call.html'), rate: here('rate.html'), boot: BOOT },
      output: bootOutput,
    },
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.spec.ts'] },
});

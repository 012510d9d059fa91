import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import { BOOT, bootOutput, bootable, buildOf } from '../qingting/web/bootable';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const BUILD = buildOf(
  ['src', '../qingting/web/src'].map(here),
  ['index.html', 'vite.config.ts', '../qingting/web/bootable.ts', '../package-lock.json'].map(here),
);

/** `--mode preview` makes a bundle that talks to a hall in memory (`?fake=1`); it is never shipped. */
export default defineConfig(({ mode }) => ({
  base: './',
  plugins: [vue(), bootable('/kiosk/', ['index'], BUILD)],
  define: {
    __BUILD__: JSON.stringify(BUILD),
    __VUE_OPTIONS_API__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  build: {
    outDir: here(mode === 'preview' ? 'dist-preview/kiosk' : '../hallserver/app/static/kiosk'),
    emptyOutDir: true,
    target: 'chrome109',
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { kiosk: here('index.html'), board: here('board.html'), look: here('look.html'), boot: BOOT },
      output: bootOutput,
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/hub': { target: 'ws://127.0.0.1:8080', ws: true },
      '/voice': { target: 'http://127.0.0.1:8080' },
    },
  },
}));

import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';
import { BOOT, bootOutput, bootable, buildOf } from '../qingting/web/bootable';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const BUILD = buildOf(
  ['src', '../qingting/web/src'].map(here),
  ['index.html', 'vite.config.ts', '../qingting/web/bootable.ts', '../package-lock.json'].map(here),
);

const MODELS = ['tiny_face_detector_model', 'face_landmark_68_model', 'face_recognition_model'];

/** The models that compare faces lie beside the program, not in it: they are seven megabytes and change with a package. */
function faceModels(): Plugin {
  let folder = '';
  return {
    name: 'qingting-face-models',
    apply: 'build',
    configResolved({ build }) {
      folder = join(build.outDir, '../faces');
    },
    closeBundle() {
      const shipped = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'model');
      mkdirSync(folder, { recursive: true });
      for (const file of readdirSync(shipped)) {
        if (MODELS.some((model) => file.startsWith(`${model}.`) || file.startsWith(`${model}-`))) {
          copyFileSync(join(shipped, file), join(folder, file));
        }
      }
    },
  };
}

/** `--mode preview` makes a bundle that talks to a hall in memory (`?fake=1`); it is never shipped. */
export default defineConfig(({ mode }) => ({
  base: './',
  plugins: [vue(), bootable('/kiosk/', ['index'], BUILD), faceModels()],
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
    // The library that compares faces is one file, fetched when somebody is compared.
    chunkSizeWarningLimit: 1_400,
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

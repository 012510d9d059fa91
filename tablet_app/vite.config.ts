import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Writes sw.js with the list of files that make up the shell, and a version that follows them. */
function serviceWorker(): Plugin {
  return {
    name: 'tablet-service-worker',
    apply: 'build',
    generateBundle(_, bundle) {
      const files = Object.keys(bundle).sort();
      const version = createHash('sha256').update(files.join('\n'));
      for (const name of files) {
        const file = bundle[name];
        if (file?.type === 'asset') version.update(file.source);
      }
      const source = readFileSync(here('src/sw.js'), 'utf8')
        .replace("'__FILES__'", JSON.stringify(files))
        .replace('__VERSION__', version.digest('hex').slice(0, 12));
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

export default defineConfig({
  base: '/tablet/',
  plugins: [vue(), serviceWorker()],
  build: {
    outDir: here('../hallserver/app/static/tablet'),
    emptyOutDir: true,
    target: 'chrome100',
    rolldownOptions: { input: { call: here('call.html'), rate: here('rate.html') } },
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.spec.ts'] },
});

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function publicFiles(): string[] {
  const entries = readdirSync(here('public'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here('public'), join(entry.parentPath, entry.name)));
}

/** Writes sw.js with the list of files that make up the shell, and a version that follows them. */
function serviceWorker(): Plugin {
  return {
    name: 'tablet-service-worker',
    apply: 'build',
    generateBundle: {
      // After the pages themselves were written into the bundle.
      order: 'post',
      handler(_, bundle) {
        const files = [...Object.keys(bundle), ...publicFiles()].sort();
        const version = createHash('sha256').update(files.join('\n'));
        for (const file of Object.values(bundle)) {
          if (file.type === 'asset') version.update(file.source);
        }
        const source = readFileSync(here('src/sw.js'), 'utf8')
          .replace("'__FILES__'", JSON.stringify(files))
          .replace('__VERSION__', version.digest('hex').slice(0, 12));
        this.emitFile({ type: 'asset', fileName: 'sw.js', source });
      },
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

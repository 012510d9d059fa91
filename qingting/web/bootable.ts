/** Builds a screen's pages so that the loader (`src/boot.ts`) starts them: part of the front ends' Vite settings. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const BOOT = fileURLToPath(new URL('src/boot.ts', import.meta.url));

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The name of a program: a hash of everything that it is made from. */
export function buildOf(folders: readonly string[], files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of [...folders.flatMap(filesBelow), ...files]) {
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

/** Chunks by content, but the loader under a name that never changes. */
export const bootOutput = {
  entryFileNames: (chunk: { readonly name: string }): string =>
    chunk.name === 'boot' ? 'boot.js' : 'assets/[name]-[hash].js',
};

const MODULE = /<script type="module"[^>]*\ssrc="\.\/([^"]+)"[^>]*><\/script>\s*/;
const STYLE = /<link rel="stylesheet"[^>]*\shref="\.\/([^"]+)"[^>]*>\s*/g;
const PRELOAD = /<link rel="modulepreload"[^>]*>\s*/g;

function bootablePage(html: string, page: string, base: string): string {
  const entry = MODULE.exec(html)?.[1];
  if (entry === undefined) throw new Error(`${page}.html starts no program`);
  const styles = [...html.matchAll(STYLE)].map((one) => one[1]).join(' ');
  const loader = `<script type="module" src="${base}boot.js" data-page="${page}" data-entry="${entry}" data-styles="${styles}"></script>`;
  return html
    .replace(PRELOAD, '')
    .replace(STYLE, '')
    .replace(MODULE, '')
    .replace('</body>', `  ${loader}\n  </body>`);
}

/** Writes build.json and has the loader start `pages`; other pages name their files from `base` on. */
export function bootable(base: string, pages: readonly string[], build: string): Plugin {
  return {
    name: 'qingting-bootable',
    apply: 'build',
    generateBundle: {
      // After the pages themselves were written into the bundle.
      order: 'post',
      handler(_, bundle) {
        for (const [name, file] of Object.entries(bundle)) {
          if (file.type !== 'asset' || !name.endsWith('.html')) continue;
          const page = name.replace(/\.html$/, '');
          const html = String(file.source);
          file.source = pages.includes(page)
            ? bootablePage(html, page, base)
            : html.replaceAll('="./', `="${base}`);
        }
        this.emitFile({ type: 'asset', fileName: 'build.json', source: JSON.stringify({ build }) });
      },
    },
  };
}

// Puts what the servers' pages need beside their own styles: design tokens, and htmx named by its version.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const here = new URL('.', import.meta.url);
mkdirSync(new URL('dist/', here), { recursive: true });
for (const sheet of ['tokens.css', 'base.css']) {
  copyFileSync(new URL(`src/${sheet}`, here), new URL(`dist/${sheet}`, here));
}

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', here), 'utf8'));
const htmx = createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js');
copyFileSync(htmx, new URL(`dist/htmx-${dependencies['htmx.org']}.min.js`, here));

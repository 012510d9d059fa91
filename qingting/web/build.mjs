// Puts the design tokens where the servers' pages can be given them as plain style sheets.
import { copyFileSync, mkdirSync } from 'node:fs';

const here = new URL('.', import.meta.url);
mkdirSync(new URL('dist/', here), { recursive: true });
for (const sheet of ['tokens.css', 'base.css']) {
  copyFileSync(new URL(`src/${sheet}`, here), new URL(`dist/${sheet}`, here));
}

/**
 * The loader of a screen's program. It is the one part that stays: it loads the release in force at this device, and when
 * that does not say in time that it started, the former one. Built into a file of its own, without any other code.
 */
import type { Boot } from './boot-api';
import { begun, failed, next, parse, started } from './boot-rules';

const LOOK_MS = 2_000;
const AGAIN_MS = 5_000;
const CACHE = 'release-';

const script = document.querySelector<HTMLScriptElement>('script[data-entry]');
const page = script?.dataset.page ?? '';
const slot = new URLSearchParams(location.search).get('slot') ?? '';
const place = `qingting.program:${page}:${slot}`;
const shipped = new URL('.', script?.src ?? location.href);
const { run: running, kept: now } = next(parse(localStorage.getItem(place)));
const onTrial = now.trial === running;
let alive = false;

function keep(kept: ReturnType<typeof parse>): void {
  localStorage.setItem(place, JSON.stringify(kept));
}

const read = (): ReturnType<typeof parse> => parse(localStorage.getItem(place));
const rootOf = (release: string): URL => (release === '' ? shipped : new URL(`r/${release}/`, shipped));

async function reachable(): Promise<boolean> {
  try {
    return (await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(AGAIN_MS) })).status < 600;
  } catch {
    return false;
  }
}

/** A hall that is away says nothing about a program: whether it can start is seen when the hall is back. */
async function goBack(): Promise<void> {
  while (!alive && !(await reachable())) await new Promise((done) => setTimeout(done, LOOK_MS));
  if (alive) return;
  if (running !== '') keep(failed(read(), running));
  else await new Promise((done) => setTimeout(done, AGAIN_MS));
  location.reload();
}

async function pageOf(release: string): Promise<Document> {
  if (release === '') return document;
  const answer = await fetch(new URL(`${page}.html`, rootOf(release)));
  if (!answer.ok) throw new Error(`release ${release}: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), 'text/html');
}

function addStyle(href: string): Promise<void> {
  return new Promise((done, fail) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = href;
    link.onload = () => done();
    link.onerror = () => fail(new Error(`style ${href}`));
    document.head.append(link);
  });
}

async function load(): Promise<void> {
  const found = await pageOf(running);
  const own = found.querySelector<HTMLScriptElement>('script[data-entry]');
  if (own === null) throw new Error('the page names no program');
  const root = rootOf(running);
  const styles = (own.dataset.styles ?? '').split(' ').filter((one) => one !== '');
  document.title = found.title;
  document.documentElement.dataset.release = running;
  await Promise.all(styles.map((one) => addStyle(new URL(one, root).href)));
  await import(/* @vite-ignore */ new URL(own.dataset.entry ?? '', root).href);
}

/** Browsers keep programs on https and localhost only; elsewhere the ordinary cache has to do. */
async function prepare(release: string): Promise<boolean> {
  if (release === '') return true;
  const root = rootOf(release);
  try {
    const answer = await fetch(new URL('files.json', root));
    if (!answer.ok) return false;
    const files = (await answer.json()) as string[];
    if (!('caches' in window)) return true;
    const cache = await caches.open(`${CACHE}${release}`);
    await cache.addAll(['files.json', ...files].map((file) => new URL(file, root).href));
    const wanted = new Set([release, read().good].map((one) => `${CACHE}${one}`));
    const old = (await caches.keys()).filter((name) => name.startsWith(CACHE) && !wanted.has(name));
    await Promise.all(old.map((name) => caches.delete(name)));
    return true;
  } catch {
    return false;
  }
}

const boot: Boot = {
  running,
  failed: now.failed,
  started() {
    if (alive) return;
    alive = true;
    keep(started(read(), running));
  },
  prepare,
  begin(release, seconds) {
    keep(begun(read(), release, seconds));
    location.reload();
  },
};

keep(now);
window.qingtingBoot = boot;
if (onTrial) setTimeout(() => void goBack(), now.seconds * 1_000);
load().catch((fault: unknown) => {
  reportError(fault);
  void goBack();
});

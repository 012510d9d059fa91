/* The shell of both pads, kept on the device so that a pad starts while its hall server restarts.
 * It caches the program only: what the hall says comes over the WebSocket and is never stored. */
const CACHE = 'tablet-__VERSION__';
const FILES = '__FILES__';
const ROOT = new URL('./', self.location.href);
const SERVER_PATIENCE_MS = 2500;

self.addEventListener('install', (event) => {
  const urls = FILES.map((file) => new URL(file, ROOT).href);
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(urls.map((url) => new Request(url, { cache: 'reload' }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  const isOld = (name) => name.startsWith('tablet-') && name !== CACHE;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

/* A page comes from the server so that an update is seen at once, or from the cache when the server
 * does not answer in time or answers with a fault. */
async function page(request) {
  const kept = await caches.match(request, { ignoreSearch: true });
  try {
    const patience = kept === undefined ? undefined : AbortSignal.timeout(SERVER_PATIENCE_MS);
    const fresh = await fetch(request.url, { signal: patience, cache: 'no-cache' });
    return fresh.ok || kept === undefined ? fresh : kept;
  } catch (fault) {
    if (kept !== undefined) return kept;
    throw fault;
  }
}

/* Built files carry a hash in their names: what is cached is right for ever. */
async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(ROOT.href)) return;
  event.respondWith(request.mode === 'navigate' ? page(request) : file(request));
});

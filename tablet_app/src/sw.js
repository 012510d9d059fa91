/* The shell of both pads, kept on the device so that a pad starts while its hall server is away.
 * It keeps the program only: what the hall says comes over the WebSocket and is never stored.
 * A new program is fetched in the background and waits; a pad takes it when nobody needs the pad. */
const CACHE = 'tablet-__VERSION__';
const FILES = '__FILES__';
const ROOT = new URL('./', self.location.href);
const RELEASES = new URL('r/', ROOT).href;
const KEPT = new Set(FILES.map((file) => new URL(file, ROOT).href));

self.addEventListener('install', (event) => {
  const fresh = [...KEPT].map((url) => new Request(url, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

self.addEventListener('message', (event) => {
  if (event.data === 'take') self.skipWaiting();
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

/* Only files of this program are answered from here, pages without what stands behind their "?". */
async function kept(address, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(address)) ?? fetch(request);
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = request.url.split(/[?#]/)[0];
  if (request.method !== 'GET') return;
  if (KEPT.has(address)) event.respondWith(kept(address, request));
  // Files of a release lie in a cache of their own, which the loader fills; what they are called is their content.
  else if (address.startsWith(RELEASES))
    event.respondWith(caches.match(address).then((found) => found ?? fetch(request)));
});

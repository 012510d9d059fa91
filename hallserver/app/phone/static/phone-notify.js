// Only shows notifications of an open ticket page and brings that page to the front; keeps nothing.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(
    self.clients
      .matchAll({ type: 'window', includeUncontrolled: true })
      .then((pages) => (pages.find((page) => page.url === event.notification.data) ?? pages[0])?.focus()),
  );
});

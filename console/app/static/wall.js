// The wall screen: its clock, the age of what it shows, and turning pages of lists that are too long for it.
// Nothing slides or blinks: a page stands for a while and then another one stands there.
(() => {
  'use strict';

  const PAGE_MS = 15000;
  const OLD_MS = 45000;
  const clock = document.getElementById('wall-clock');
  if (!clock) return;
  const ahead = Number(clock.dataset.now) - Date.now();
  const zone = Number(clock.dataset.offset) * 60000;
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  let turn = 0;
  let shownAt = Date.now();

  function tick() {
    const now = new Date(Date.now() + ahead + zone).toISOString();
    clock.textContent = now.slice(11, 16);
    clock.dateTime = now.slice(0, 16);
    const line = document.querySelector('.wall-time');
    if (!line) return;
    const seconds = Math.max(0, Math.round((Date.now() - shownAt) / 1000));
    const old = seconds * 1000 > OLD_MS;
    line.classList.toggle('old', old);
    line.textContent = (old ? line.dataset.old : line.dataset.fresh).replace('{n}', String(seconds));
  }

  // Each list shows as many entries as fit its size; with reduced motion the first page stays.
  function pages() {
    for (const list of document.querySelectorAll('[data-rotate]')) {
      const size = Number(list.dataset.rotate);
      const entries = [...list.children].filter((one) => !one.classList.contains('page-note'));
      list.querySelector('.page-note')?.remove();
      if (entries.length <= size) continue;
      const count = Math.ceil(entries.length / size);
      const page = still.matches ? 0 : turn % count;
      entries.forEach((one, place) => { one.hidden = Math.floor(place / size) !== page; });
      const note = document.createElement('li');
      note.className = 'page-note';
      note.textContent = list.dataset.more
        .replace('{page}', String(page + 1)).replace('{pages}', String(count))
        .replace('{n}', String(entries.length));
      list.append(note);
    }
  }

  document.addEventListener('htmx:afterSwap', () => { shownAt = Date.now(); pages(); tick(); });
  window.setInterval(tick, 1000);
  window.setInterval(() => { turn += 1; pages(); }, PAGE_MS);
  still.addEventListener('change', pages);
  tick();
  pages();
})();

// Arrow keys move between the dates of a month; without this, the tab key does.
'use strict';
(() => {
  const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  document.addEventListener('keydown', (event) => {
    const grid = event.target instanceof Element && event.target.closest('[data-arrows]');
    const step = STEPS[event.key];
    if (!grid || !step || event.altKey || event.ctrlKey || event.metaKey) return;
    const links = [...grid.querySelectorAll('td a')];
    const next = links[links.indexOf(event.target.closest('a')) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
})();

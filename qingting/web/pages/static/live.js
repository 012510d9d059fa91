// Keeps parts of a page fresh: the server names what changed, htmx fetches those parts again.
// Without this script every page still works; it only has to be reloaded by hand.
(() => {
  'use strict';

  const FIRST_RETRY_MS = 1000;
  const LONGEST_RETRY_MS = 15000;
  const SILENCE_MS = 40000;

  const byItself = (cause) => !cause || String(cause.type).startsWith('live:');

  document.addEventListener('htmx:configRequest', (event) => {
    const { detail } = event;
    if (!byItself(detail.triggeringEvent)) return;
    detail.headers['X-Qingting-Live'] = '1';
    // Nothing is taken from under the hands of somebody who fills in a field there.
    const busy = document.activeElement;
    if (busy?.matches('input, select, textarea') && detail.elt.contains(busy)) event.preventDefault();
  });

  // Who stands on something in a part that is renewed stays there, and what was unfolded stays so.
  const marks = (element) =>
    ['id', 'name', 'value', 'href', 'aria-label', 'tabindex'].map((one) => element.getAttribute(one)).join('\n');
  const alike = (element) =>
    [...document.querySelectorAll(element.localName)].filter((one) => marks(one) === marks(element));
  const said = (details) => details.querySelector('summary')?.textContent.trim();
  let left = null;
  document.addEventListener('htmx:beforeSwap', ({ detail }) => {
    const here = document.activeElement;
    left = {
      part: detail.target,
      from: detail.target.contains(here) && here !== detail.target ? here : null,
      place: here ? alike(here).indexOf(here) : 0,
      open: new Set([...detail.target.querySelectorAll('details[open]')].map(said)),
    };
  });
  document.addEventListener('htmx:afterSwap', () => {
    if (!left) return;
    for (const details of left.part.querySelectorAll('details')) {
      if (left.open.has(said(details))) details.open = true;
    }
    if (left.from && !left.from.isConnected) alike(left.from)[left.place]?.focus({ preventScroll: true });
    left = null;
  });

  // On a narrow screen the menu is one line until it is asked for.
  const fold = document.querySelector('.side-fold');
  if (fold) {
    const narrow = window.matchMedia('(max-width: 900px)');
    const folded = () => { fold.open = !narrow.matches; };
    folded();
    fold.classList.add('ready');
    narrow.addEventListener('change', folded);
  }

  // A part that could not be fetched says so in the notice; the next one that could takes that away again,
  // and nothing else that stands there.
  let excused = false;
  document.addEventListener('htmx:afterRequest', ({ detail }) => {
    if (!detail.requestConfig.headers['X-Qingting-Live']) return;
    if (detail.failed) {
      excused = true;
    } else if (detail.successful && excused) {
      document.querySelector('#notice .fault')?.remove();
      excused = false;
    }
  });

  // Somebody has typed what is not sent yet.
  const typing = () =>
    [...document.querySelectorAll('form[method=post] :is(input, textarea, select)')].some((one) =>
      one.matches('select')
        ? [...one.options].some((option) => option.selected !== option.defaultSelected) && one.selectedIndex > 0
        : one.matches('[type=checkbox], [type=radio]')
          ? one.checked !== one.defaultChecked
          : one.type !== 'hidden' && one.value !== one.defaultValue);

  // The login is over: the page goes, but never from under what somebody has typed. The answer has the notice for them.
  document.addEventListener('htmx:beforeOnLoad', (event) => {
    const { xhr } = event.detail;
    if (!byItself(event.detail.requestConfig.triggeringEvent)) return;
    if (!xhr.getResponseHeader('HX-Redirect') || !typing()) return;
    event.preventDefault();
    const notice = document.getElementById('notice');
    if (notice && xhr.responseText && !notice.querySelector('.caution')) notice.innerHTML = xhr.responseText;
  });

  // Logged in again elsewhere: the next press goes with the token of now.
  document.addEventListener('htmx:afterSwap', () => {
    const token = document.querySelector('#notice [data-token]')?.dataset.token;
    if (!token) return;
    document.body.setAttribute('hx-headers', JSON.stringify({ 'X-CSRF-Token': token }));
    for (const field of document.querySelectorAll('input[name=csrf]')) field.value = token;
  });

  document.addEventListener('submit', (event) => {
    const question = event.target instanceof HTMLFormElement && event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // A mouse chooses once; keys pass over every choice on the way to theirs, which Enter or the button then sends.
  for (const form of document.querySelectorAll('form[data-auto]')) {
    let keys = false;
    form.addEventListener('keydown', () => { keys = true; });
    form.addEventListener('pointerdown', () => { keys = false; });
    form.addEventListener('change', () => { if (!keys) form.requestSubmit(); });
  }

  // What is printed says when: a live page is newer than the line that came with it.
  window.addEventListener('beforeprint', () => {
    for (const element of document.querySelectorAll('[data-printed]')) {
      const there = new Date(Date.now() + Number(element.dataset.printed) * 60000);
      element.textContent = there.toISOString().slice(0, 16).replace('T', ' ');
    }
  });

  // Seconds left until data-until (server milliseconds); the server's clock is given as data-now.
  function countDown(element) {
    const until = Number(element.dataset.until);
    const offset = Number(element.dataset.now) - Date.now();
    const over = element.dataset.over;
    const tick = () => {
      const left = Math.max(0, Math.ceil((until - Date.now() - offset) / 1000));
      element.textContent =
        left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : over;
      if (left > 0 && element.isConnected) window.setTimeout(tick, 250);
    };
    tick();
  }
  document.querySelectorAll('[data-until]').forEach(countDown);
  document.addEventListener('htmx:load', (event) => {
    if (event.target instanceof Element) event.target.querySelectorAll('[data-until]').forEach(countDown);
  });

  const url = document.body.dataset.liveUrl;
  const state = document.getElementById('live-state');
  if (!url || !window.EventSource) return;

  let failures = 0;
  let silence = 0;
  let source = null;

  function say(live) {
    if (!state) return;
    if (!live) {
      state.className = 'live-state lost';
      state.textContent = state.dataset.lost;
      state.hidden = false;
    } else if (!state.hidden) {
      state.className = 'live-state live';
      state.textContent = state.dataset.live;
      window.setTimeout(() => { if (failures === 0) state.hidden = true; }, 3000);
    }
  }

  function refresh(names) {
    for (const name of names) document.body.dispatchEvent(new CustomEvent(`live:${name}`));
  }

  function everything() {
    refresh(new Set([...document.querySelectorAll('[data-live-part]')].flatMap(
      (part) => part.dataset.livePart.split(' '))));
  }

  function heard() {
    window.clearTimeout(silence);
    silence = window.setTimeout(lost, SILENCE_MS);
  }

  function lost() {
    source?.close();
    failures += 1;
    if (failures > 1) say(false);
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 5));
    window.setTimeout(open, wait * (0.5 + Math.random() / 2));
  }

  function open() {
    source = new EventSource(url);
    heard();
    source.addEventListener('open', () => {
      everything(); // whatever changed between the page's making and this moment
      failures = 0;
      say(true);
      heard();
    });
    source.addEventListener('beat', heard);
    source.addEventListener('changed', (event) => {
      heard();
      refresh(String(event.data).split(' '));
    });
    source.addEventListener('ended', () => {
      if (typing()) everything();
      else window.location.reload();
    });
    source.onerror = () => {
      window.clearTimeout(silence);
      lost();
    };
  }

  open();
  window.addEventListener('pagehide', () => source?.close());
})();

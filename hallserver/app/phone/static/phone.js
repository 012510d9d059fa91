// The page of a ticket, kept fresh by a stream of sentences. Without this script the page is whole and
// has a link to reload it.
(() => {
  'use strict';

  const root = document.getElementById('phone');
  if (!root || !window.EventSource) return;

  const FIRST_RETRY_MS = 1000;
  const LONGEST_RETRY_MS = 15000;
  const SILENCE_MS = 40000;
  const SLOW_MS = 30000;
  const AGAIN_MS = 100;
  const MOST_TRIES = 3;
  const words = root.dataset;
  const line = document.getElementById('line');
  const announce = document.getElementById('announce');
  const card = () => document.getElementById('ticket');

  // ---- what the page shows -------------------------------------------------------------------------

  let title = card().dataset.title;
  let wanted = card().dataset.mark; // what the hall has said last
  let tries = 0;

  function show(heading) {
    title = heading;
    document.title = `${heading} · ${words.product}`;
  }

  function say(told) {
    wanted = told.mark;
    tries = 0;
    if (told.mark !== card().dataset.mark) {
      fetchPart();
      return;
    }
    const sentence = document.querySelector('#say span');
    if (sentence.textContent !== told.say) {
      sentence.textContent = told.say;
      announce.textContent = told.say;
    }
    const more = document.getElementById('more');
    if (more) more.textContent = told.more;
    show(told.title);
  }

  function fetchPart() {
    document.body.dispatchEvent(new CustomEvent('phone:refresh'));
  }

  let last = { ...card().dataset };
  document.addEventListener('htmx:afterSettle', () => {
    const now = card().dataset;
    show(now.title);
    // What the hall said while the page was being fetched is dropped with the part that was replaced.
    if (now.mark !== wanted && tries < MOST_TRIES) {
      tries += 1;
      window.setTimeout(fetchPart, AGAIN_MS * tries);
    }
    if (now.mark === last.mark) return;
    announce.textContent = [...card().querySelectorAll('.say span, .todo')].map((one) => one.textContent).join('。');
    const nearer = now.alert === 'called' || (now.alert !== '' && now.stage !== last.stage);
    last = { ...now };
    alerts.entered(now.alert, nearer);
  });

  // ---- the line ------------------------------------------------------------------------------------

  let source = null;
  let failures = 0;
  let heardAt = Date.now();
  let silence = 0;
  let retry = 0;
  let ageing = 0;
  let slow = 0;

  function age() {
    const seconds = Math.max(1, Math.round((Date.now() - heardAt) / 1000));
    return seconds < 60
      ? words.wordsSeconds.replace('{n}', String(seconds))
      : words.wordsMinutes.replace('{n}', String(Math.floor(seconds / 60)));
  }

  // The age of lost data counts on; a screen reader hears of the loss once.
  function tell(kind, text) {
    if (!line.classList.contains(kind) && (kind === 'lost' || !line.hidden)) announce.textContent = text;
    line.className = `line ${kind}`;
    line.hidden = false;
    if (line.textContent !== text) line.textContent = text;
    root.classList.toggle('is-live', kind === 'live');
  }

  function heard() {
    heardAt = Date.now();
    failures = 0;
    window.clearInterval(ageing);
    window.clearTimeout(silence);
    silence = window.setTimeout(lost, SILENCE_MS);
    tell('live', words.wordsLive);
  }

  function sayLost() {
    tell('lost', words.wordsLost.replace('{age}', age()));
  }

  function lost() {
    source?.close();
    source = null;
    window.clearTimeout(silence);
    window.clearTimeout(retry);
    failures += 1;
    if (failures > 1) {
      window.clearInterval(ageing);
      sayLost();
      ageing = window.setInterval(sayLost, 5000);
    }
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 5));
    retry = window.setTimeout(open, wait * (0.5 + Math.random() / 2));
  }

  // The hall follows only so many pages; the others look by themselves now and then.
  async function refused() {
    const answer = await fetch(words.live, { headers: { Accept: 'application/json' } });
    await answer.body?.cancel();
    if (answer.status === 404) window.location.reload();
    if (answer.status !== 429) throw new Error(`status ${answer.status}`);
    failures = 0;
    window.clearInterval(ageing);
    tell('slow', words.wordsSlow);
    window.clearTimeout(slow);
    slow = window.setTimeout(() => { fetchPart(); open(); }, SLOW_MS);
  }

  function open() {
    window.clearTimeout(retry);
    source?.close();
    source = new EventSource(words.live);
    source.addEventListener('say', (event) => { heard(); say(JSON.parse(event.data)); });
    source.addEventListener('beat', heard);
    source.addEventListener('ended', () => window.location.reload());
    source.onerror = () => {
      // A closed source was answered with something else than a stream: find out what.
      if (source?.readyState === EventSource.CLOSED) refused().catch(lost);
      else lost();
    };
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden || source?.readyState === EventSource.OPEN) return;
    open(); // a phone that slept has missed everything
  });
  window.addEventListener('online', open);
  window.addEventListener('pagehide', () => { source?.close(); source = null; });
  window.addEventListener('pageshow', (event) => { if (event.persisted) open(); });

  // ---- sound, vibration, notifications: only after a tap that allows them -----------------------------

  const alerts = (() => {
    const box = document.getElementById('alerts');
    const ring = document.getElementById('ring');
    const stop = document.getElementById('stop');
    const note = document.getElementById('ring-note');
    const notify = document.getElementById('notify');
    const text = box.dataset;
    const RINGS = 20;
    let audio = null;
    let allowed = false;
    let worker = null;
    let ringing = 0;

    function tone(at, hertz) {
      const start = audio.currentTime + at;
      const gain = audio.createGain();
      gain.gain.setValueAtTime(0.0001, start);
      gain.gain.exponentialRampToValueAtTime(0.6, start + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.45);
      const voice = audio.createOscillator();
      voice.frequency.value = hertz;
      voice.connect(gain).connect(audio.destination);
      voice.start(start);
      voice.stop(start + 0.5);
    }

    function sound(kind) {
      if (!allowed) return;
      if (audio) {
        tone(0, 880);
        tone(0.3, 660);
        if (kind === 'called') tone(0.6, 880);
      }
      navigator.vibrate?.(kind === 'called' ? [400, 150, 400, 150, 400] : [250]);
    }

    function silent() {
      window.clearInterval(ringing);
      ringing = 0;
      stop.hidden = true;
      navigator.vibrate?.(0);
    }

    function ringOn() {
      let left = RINGS;
      silent();
      sound('called');
      stop.hidden = !allowed;
      ringing = window.setInterval(() => {
        left -= 1;
        if (left <= 0) silent();
        else sound('called');
      }, 3000);
    }

    function entered(kind, nearer) {
      render(kind);
      if (kind !== 'called') silent();
      if (!nearer) return;
      if (kind === 'called') ringOn();
      else sound(kind);
      if (worker) {
        worker.showNotification(title, {
          body: card().querySelector('.todo').textContent,
          tag: 'ticket',
          renotify: true,
          data: window.location.href,
        });
      }
    }

    function render(kind) {
      const useful = kind !== '' || card().dataset.stage === 'waiting';
      box.hidden = !useful;
      ring.hidden = kind === 'called' && !allowed ? true : !useful;
    }

    // A screen that stays on keeps the page running; where the phone refuses that, the note still holds.
    async function stayAwake() {
      if (!allowed || document.hidden || !navigator.wakeLock) return;
      await navigator.wakeLock.request('screen').catch(() => undefined);
    }

    ring.addEventListener('click', async () => {
      const Sound = window.AudioContext ?? window.webkitAudioContext;
      if (!Sound && !navigator.vibrate) {
        note.textContent = text.wordsUnable;
        return;
      }
      audio ??= Sound ? new Sound() : null;
      allowed = true;
      ring.setAttribute('aria-pressed', 'true');
      ring.textContent = text.wordsSet;
      note.textContent = text.wordsNote;
      await audio?.resume();
      sound('near');
      await stayAwake();
      notify.hidden = !canNotify();
    });
    stop.addEventListener('click', silent);
    document.addEventListener('visibilitychange', stayAwake);

    function canNotify() {
      return window.isSecureContext && 'Notification' in window && 'serviceWorker' in navigator
        && Notification.permission !== 'denied' && !worker;
    }

    notify.addEventListener('click', async () => {
      if ((await Notification.requestPermission()) !== 'granted') {
        notify.hidden = true;
        note.textContent = text.wordsDenied;
        return;
      }
      await navigator.serviceWorker.register(text.worker, { scope: '/t/' });
      worker = await navigator.serviceWorker.ready;
      notify.hidden = true;
      note.textContent = text.wordsNotifySet;
    });

    render(card().dataset.alert);
    return { entered };
  })();

  // The tab's name calls as well, as long as nobody looks.
  let flip = false;
  window.setInterval(() => {
    const calling = card().dataset.alert === 'called' && document.hidden;
    flip = calling && !flip;
    document.title = flip ? `▶ ${title}` : `${title} · ${words.product}`;
  }, 1200);

  open();
})();

// What a script adds to citizens' pages: printing, counting what is chosen, the nearest halls, the phone with
// the city's app. Without it every page is whole.
(() => {
  'use strict';

  for (const button of document.querySelectorAll('[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }

  // How many are chosen, said aloud too; no more than the most can be.
  const pick = document.querySelector('form[data-most]');
  if (pick) {
    const [number, full] = pick.querySelector('.c-tally').children;
    const count = () => {
      const boxes = [...pick.querySelectorAll('[name="item"]')];
      const chosen = boxes.filter((box) => box.checked).length;
      number.textContent = String(chosen);
      full.hidden = chosen < Number(pick.dataset.most);
      for (const box of boxes) box.disabled = !full.hidden && !box.checked;
    };
    count();
    pick.addEventListener('change', count);
    window.addEventListener('pageshow', count);
  }

  // The city's app names its phone once its person is logged in (docs/integrators/app-push.md).
  const key = document.querySelector('input[name="csrf"]');
  window.addEventListener('qingting:device', (event) => {
    if (!key) return;
    const { platform, app, token } = event.detail;
    void fetch('/c/me/devices', { method: 'POST', body: new URLSearchParams({ platform, app, token, csrf: key.value }) });
  });

  // The browser asks the person; what it gives is rounded to about a hundred metres before it leaves the phone.
  const near = document.querySelector('form[data-locate]');
  if (near && navigator.geolocation) {
    near.hidden = false;
    const says = near.querySelector('[role="status"]');
    near.addEventListener('submit', (event) => {
      if (near.elements.latitude.value) return;
      event.preventDefault();
      says.textContent = says.dataset.asking;
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          near.elements.latitude.value = coords.latitude.toFixed(3);
          near.elements.longitude.value = coords.longitude.toFixed(3);
          near.submit();
        },
        () => {
          says.textContent = says.dataset.denied;
        },
        { timeout: 15000, maximumAge: 300000 },
      );
    });
  }
})();

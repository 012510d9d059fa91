// Shows in the preview frame what the form would make of a kiosk: the frame runs the kiosk's own screens.
(() => {
  'use strict';

  const frame = document.getElementById('kiosk-look');
  if (!(frame instanceof HTMLIFrameElement)) return;

  function show() {
    const look = document.getElementById('look');
    if (look instanceof HTMLDataElement) {
      frame.contentWindow?.postMessage({ look: look.value }, window.location.origin);
    }
  }

  window.addEventListener('message', (event) => {
    if (event.origin === window.location.origin && event.source === frame.contentWindow) show();
  });
  document.addEventListener('htmx:afterSettle', show);
  show(); // the frame may have been ready before this script was
})();

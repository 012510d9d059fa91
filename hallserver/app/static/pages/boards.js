// The preview of a board layout: the framed board is told the name of each new draft. Without this script
// the preview is drawn anew with the "preview" button.
(() => {
  'use strict';

  function show() {
    const draft = document.getElementById('draft');
    const frame = document.getElementById('board-frame');
    if (!draft || !frame || !draft.dataset.draft) return;
    frame.hidden = draft.dataset.strip === 'yes';
    // Only what stands behind the # changes, so the board stays and fetches the draft by itself.
    if (!frame.hidden) frame.contentWindow?.location.replace(`/board/?preview#${draft.dataset.draft}`);
  }

  document.addEventListener('htmx:afterSwap', (event) => {
    if (event.target instanceof Element && event.target.id === 'preview') show();
  });

  // Fields that belong to one choice only are shown with it.
  function fit() {
    for (const part of document.querySelectorAll('[data-when]')) {
      const [name, ...values] = part.dataset.when.split(' ');
      const field = part.closest('form')?.elements.namedItem(name);
      if (field && 'value' in field) part.hidden = !values.includes(field.value);
    }
  }
  document.addEventListener('change', fit);
  fit();
})();

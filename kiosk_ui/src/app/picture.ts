/** A picture of the kiosk as it shows itself (截屏), half size, without anything that may be a citizen's. */

/** Left out of the picture wherever it stands; on the first screen there is none. */
const NEVER = 'input, textarea, [data-personal], [data-sheet]';

/** Base64 of a JPEG. Rejects when the page cannot be drawn. */
export async function pictureOfKiosk(): Promise<string> {
  const page = document.querySelector<HTMLElement>('.kiosk');
  if (page === null) throw new Error('the kiosk is not on the screen');
  // Loaded when it is needed: hardly any kiosk is ever asked for a picture.
  const { domToJpeg } = await import('modern-screenshot');
  const url = await domToJpeg(page, {
    width: 1080,
    height: 1920,
    scale: 0.5,
    quality: 0.8,
    // Fonts are the machine's own; looking for others would need an inline style, which the page's policy forbids.
    font: false,
    style: { zoom: '1', margin: '0' },
    filter: (node) => !(node instanceof Element && node.matches(NEVER)),
  });
  return url.slice(url.indexOf(',') + 1);
}

/** The photo of the card on the reader, from the agent of this very machine, once. */
import type { CardPhoto } from '@qingting/client';

const DEADLINE_MS = 8_000;

/** Null when it is gone or cannot be decoded here. */
export async function fetchPhoto(photo: CardPhoto): Promise<Blob | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${photo.port}/photo`, {
      method: 'POST',
      headers: { 'X-Agent-Secret': photo.token },
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return answer.ok ? await answer.blob() : null;
  } catch {
    return null; // no agent there, or too slow: as good as no photo
  }
}

/**
 * Idempotency keys. `crypto.randomUUID` exists only in a secure context, and a kiosk may be served
 * over plain http inside the hall's own network, so the key is made from random bytes.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

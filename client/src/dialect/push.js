/** What one `put` may carry: messages, and characters of JSON well below 64 KiB in UTF-8. */
const MESSAGES = 200;
const BYTES = 60000;

/**
 * Cuts messages into the lists of put frames.
 * @template T
 * @param {T[]} messages
 * @returns {T[][]}
 */
export function portions(messages) {
  /** @type {T[][]} */
  const out = [];
  let size = BYTES;
  for (const message of messages) {
    const own = new TextEncoder().encode(JSON.stringify(message)).length + 1;
    if (size + own > BYTES || out[out.length - 1].length >= MESSAGES) {
      out.push([]);
      size = 0;
    }
    out[out.length - 1].push(message);
    size += own;
  }
  return out;
}

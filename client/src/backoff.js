/**
 * How long to wait before everything is tried again: full jitter, so that a crowd that was cut off together does not come back together.
 * @param {number} round 1 for the first that failed
 * @param {any} busy whether a chat is open; then never more than 2 s, else 15 s
 * @returns {number} milliseconds
 */
export function backoff(round, busy) {
  return Math.random() * Math.min(busy ? 2000 : 15000, 250 * 2 ** Math.min(round - 1, 9));
}

/**
 * A random part of the time over which a deployment wants a crowd spread.
 * @param {any} ms as it came over the wire; at most a minute of it counts
 * @returns {number} milliseconds
 */
export function spread(ms) {
  return Math.random() * (ms > 0 ? Math.min(ms, 60000) : 0);
}

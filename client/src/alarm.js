/**
 * A timer of which there is one at a time.
 * @param {(...args: any[]) => void} ring
 * @returns {(ms?: number, ...args: any[]) => void} sets it anew; without a time, or with an infinite one, it is off
 */
export const createAlarm = (ring) => {
  /** @type {any} */
  let id;
  return (ms, ...args) => {
    clearTimeout(id);
    if (/** @type {number} */ (ms) < Infinity) id = setTimeout(ring, ms, ...args);
  };
};

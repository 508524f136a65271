/** What a deployment takes at once, and in a millisecond; less than that, so that two clocks may differ. */
const BURST = 18;
const RATE = 4.5 / 1000;

/**
 * Keeps what is sent below what a deployment calls a flood.
 * @returns {() => number} 0 when one may be sent now (and it is counted), else in how many milliseconds to ask again
 */
export function createPace() {
  let left = BURST;
  let at = Date.now();
  return () => {
    const now = Date.now();
    left = Math.min(BURST, left + Math.max(0, now - at) * RATE);
    at = now;
    if (left < 1) return 1 + (1 - left) / RATE;
    left--;
    return 0;
  };
}

/**
 * Asks whether the deployment is alive when it was silent for a heartbeat. Armed by whoever handles its messages: browsers slow down chains of
 * timers in hidden pages, and a timer that a message armed begins a new chain.
 * @param {import("../livens-client").Timing} timing
 * @param {() => boolean} busy whether a chat is open
 * @param {(n: number) => void} ping
 * @param {(since: number) => void} silent it did not answer what was sent then
 */
export function createWatchdog(timing, busy, ping, silent) {
  /** @type {any} */
  let timer;
  let asked = 0;
  let late = false;
  let n = 0;

  const stop = () => {
    clearTimeout(timer);
    asked = 0;
    late = false;
  };

  /** The deployment spoke. */
  const heard = () => {
    stop();
    timer = setTimeout(probe, busy() ? timing.busy : timing.idle);
  };

  /** Asks now, unless an answer is awaited already. */
  const probe = () => {
    if (asked) return;
    clearTimeout(timer);
    asked = Date.now();
    ping(++n);
    timer = setTimeout(unanswered, timing.ack);
  };

  // A page that slept gets its timers before the messages that came meanwhile: the first late timer accuses nobody, and asks again.
  const unanswered = () => {
    const since = asked;
    asked = 0;
    if (late || Date.now() - since <= timing.ack + 1000) return silent(since);
    late = true;
    probe();
  };

  return { heard, probe, stop };
}

import { createAlarm } from "./alarm.js";

/**
 * Asks whether the deployment is alive when it was silent for a heartbeat. Armed by whoever handles its messages: browsers slow down chains of
 * timers in hidden pages, and a timer that a message armed begins a new chain.
 * @param {import("../livens-client").Timing} timing
 * @param {() => any} busy whether a chat is open
 * @param {(n: number) => void} ping
 * @param {(since: number) => void} silent it did not answer what was sent then
 */
export function createWatchdog(timing, busy, ping, silent) {
  let asked = 0;
  let late = false;
  let n = 0;

  const stop = () => {
    timer();
    asked = 0;
    late = false;
  };

  /** The deployment spoke. */
  const heard = () => {
    stop();
    // In a hidden page each of the two timers may be late by a second; nobody shall wait longer for that.
    timer((busy() ? timing.busy : timing.idle) - (globalThis.document?.hidden ? 2500 : 0));
  };

  /** Asks now, unless an answer is awaited already. */
  const probe = () => {
    if (asked) return;
    asked = Date.now();
    ping(++n);
    timer(timing.ack);
  };

  // A page that slept gets its timers before the messages that came meanwhile: the first late timer accuses nobody, and asks again.
  const timer = createAlarm(() => {
    const since = asked;
    if (!since) return probe();
    asked = 0;
    if (late || Date.now() - since <= timing.ack + 2000) return silent(since);
    late = true;
    probe();
  });

  return { heard, check: probe, stop };
}

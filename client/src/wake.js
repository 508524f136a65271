const WINDOW = ["online", "pageshow"];
const DOCUMENT = ["visibilitychange", "resume"];

/**
 * Calls when the page may have slept, or the network may be another one: what was true before need not be now.
 * @param {() => void} wake
 * @returns {() => void} ends it
 */
export function onWake(wake) {
  const { document } = globalThis;
  const shown = () => document.visibilityState == "hidden" || wake();
  for (const name of WINDOW) globalThis.addEventListener?.(name, wake);
  for (const name of DOCUMENT) document?.addEventListener(name, shown);
  return () => {
    for (const name of WINDOW) globalThis.removeEventListener?.(name, wake);
    for (const name of DOCUMENT) document?.removeEventListener(name, shown);
  };
}

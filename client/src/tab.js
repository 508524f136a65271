/** How long another tab may take to say that a sender is its own, in milliseconds. */
const WAIT = 60;

/**
 * Asks the other tabs whether one of them is this sender: a duplicated tab gets a copy of sessionStorage, and two tabs that number their messages as one
 * sender would lose one of each pair. The channel is closed while the page is hidden away, or the browser would not keep the page.
 * @param {string} sender
 * @returns {Promise<boolean>} whether it is free
 */
export function isFree(sender) {
  if (!globalThis.BroadcastChannel) return Promise.resolve(true);
  const channel = new BroadcastChannel("livens");
  return new Promise((resolve) => {
    const end = (/** @type {boolean} */ free) => {
      clearTimeout(timer);
      channel.close();
      resolve(free);
    };
    const timer = setTimeout(end, WAIT, true);
    channel.onmessage = ({ data }) => data.mine == sender && end(false);
    channel.postMessage({ whose: sender });
  });
}

/**
 * Answers other tabs that ask for this sender.
 * @param {string} sender
 * @returns {() => void} ends it
 */
export function defend(sender) {
  /** @type {BroadcastChannel | null} */
  let channel = null;
  const close = () => {
    channel?.close();
    channel = null;
  };
  const open = () => {
    close();
    if (!globalThis.BroadcastChannel) return;
    channel = new BroadcastChannel("livens");
    channel.onmessage = ({ data }) => data.whose == sender && channel?.postMessage({ mine: sender });
  };
  open();
  globalThis.addEventListener?.("pagehide", close);
  globalThis.addEventListener?.("pageshow", open);
  return () => {
    close();
    globalThis.removeEventListener?.("pagehide", close);
    globalThis.removeEventListener?.("pageshow", open);
  };
}

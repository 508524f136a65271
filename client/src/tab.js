/** How long another tab may take to say that a sender is its own, in milliseconds. */
const WAIT = 60;

/**
 * Takes a sender for this tab, unless another tab is that one: a duplicated tab gets a copy of sessionStorage, and two tabs that number their messages as
 * one sender would lose one of each pair. The channel is closed while the page is hidden away, or the browser would not keep the page.
 * @param {string} sender
 * @param {(free: boolean) => void} told at once when nobody can be asked
 * @returns {() => void} gives it back
 */
export function claim(sender, told) {
  const { BroadcastChannel } = globalThis;
  if (!BroadcastChannel) {
    told(true);
    return () => {};
  }
  /** @type {any} */
  let channel;
  let mine = false;
  const close = () => channel?.close();
  const open = () => {
    close();
    channel = new BroadcastChannel("livens");
    channel.onmessage = (/** @type {any} */ { data }) => {
      if (data.whose == sender && mine) channel.postMessage({ mine: sender });
      else if (data.mine == sender && !mine) end(false);
    };
  };
  const end = (/** @type {boolean} */ free) => {
    clearTimeout(timer);
    mine = free;
    if (!free) give();
    told(free);
  };
  const give = () => {
    clearTimeout(timer);
    close();
    globalThis.removeEventListener?.("pagehide", close);
    globalThis.removeEventListener?.("pageshow", open);
  };
  const timer = setTimeout(end, WAIT, true);
  open();
  channel.postMessage({ whose: sender });
  globalThis.addEventListener?.("pagehide", close);
  globalThis.addEventListener?.("pageshow", open);
  return give;
}

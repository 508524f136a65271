import { createAlarm } from "./alarm.js";
import { listen } from "./events.js";

/** How long another tab may take to say that a sender is its own, in milliseconds. */
const WAIT = 60;

/**
 * Takes a sender for this tab, unless another tab is that one: a duplicated tab gets a copy of sessionStorage, and two tabs that number their messages as
 * one sender would lose one of each pair. The channel is closed while the page is hidden away, or the browser would not keep the page.
 * @param {string} sender
 * @param {(free: boolean) => void} told
 * @returns {() => void} gives it back
 */
export function claim(sender, told) {
  /** @type {any} */
  let channel;
  let mine = false;
  const pagehide = () => channel?.close();
  const pageshow = () => {
    pagehide();
    if (!globalThis.BroadcastChannel) return; // an old browser: nobody will answer
    channel = new BroadcastChannel("livens");
    channel.onmessage = (/** @type {any} */ { data: [whose, answer] }) => {
      if (whose != sender) return;
      if (mine == answer) return;
      if (mine) channel.postMessage([sender, true]);
      else end(0, false);
    };
  };
  const end = createAlarm((/** @type {boolean} */ free) => {
    mine = free;
    told(free);
  });
  const unlisten = listen({ pagehide, pageshow });
  pageshow();
  channel?.postMessage([sender, false]);
  end(WAIT, true);
  return () => {
    end();
    unlisten();
    pagehide();
  };
}

/**
 * @typedef {object} Ends what a link tells to whoever holds it
 * @property {(link: Link) => void} [opened]
 * @property {(link: Link, event: any) => void} frame
 * @property {(link: Link, event: {code: number, reason: string, wasClean?: boolean}) => void} down once, and nothing after it
 */

/** @typedef {ReturnType<typeof createLink>} Link */

/** @param {string} url @returns {string} where the same is asked without a WebSocket */
export const plain = (url) => url.replace(/^ws/, "http");

/**
 * One WebSocket to one URL. A closed one is silent: what a page let go can not disturb it.
 * @param {{id: string | null, url: string}} candidate
 * @param {string | string[] | undefined} protocols
 * @param {Ends} ends may be replaced when the link changes hands
 * @param {boolean} [scout] asks first whether anybody is there, see below
 */
export function createLink({ id, url }, protocols, ends, scout) {
  const stop = new AbortController();
  /** @type {any} */
  let ws;

  const silence = () => {
    link.gone = true;
    link.isOpen = false;
    stop.abort();
    if (ws) ws.onopen = ws.onmessage = ws.onclose = null;
  };
  const down = (/** @type {any} */ event) => {
    if (link.gone) return;
    silence();
    link.ends.down(link, event);
  };
  const dial = () => {
    if (link.gone) return;
    try {
      link.ws = ws = new WebSocket(url, protocols);
    } catch {
      // Mixed content, or an old browser's way to say that the CSP forbids it.
      return down({ code: 1006 });
    }
    ws.onopen = () => {
      link.isOpen = true;
      link.ends.opened?.(link);
    };
    ws.onmessage = (/** @type {any} */ event) => link.ends.frame(link, event);
    ws.onclose = down;
  };

  const link = {
    id,
    url,
    ends,
    ws,
    isOpen: false,
    gone: false,
    /** Whether hello was said on it. */
    greeted: false,
    /** Whether all that it lacked was sent to the client, and the ids of puts not yet confirmed: the dialect's. */
    synced: false,
    owes: new Set(),

    /** @param {any} data */
    send(data) {
      if (link.isOpen && ws.readyState == 1) ws.send(data);
    },

    /** Lets it go without a word to its holder. @param {number} [code] @param {string} [reason] */
    close(code, reason) {
      if (link.gone) return;
      silence();
      ws?.close(code, reason);
    },
  };

  // Browsers slow down a page that had many WebSockets fail: after thirty, a new one may wait for 5 s. So once a round has failed, a plain request goes
  // ahead; it needs no permission of the deployment, for only whether anybody answers is asked.
  if (scout) fetch(plain(url), { mode: "no-cors", credentials: "omit", cache: "no-store", signal: stop.signal }).then(dial, () => down({ code: 1006 }));
  else queueMicrotask(dial);
  return link;
}

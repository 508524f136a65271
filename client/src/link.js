/**
 * @typedef {object} Ends what a link tells to whoever holds it
 * @property {(link: Link) => void} [opened]
 * @property {(link: Link, event: any) => void} frame
 * @property {(link: Link, event: Closing) => void} down once, and nothing after it
 */

/** @typedef {{code?: number, reason?: string, wasClean?: boolean}} Closing */
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

  const silence = () => {
    link.gone = true;
    stop.abort();
  };
  const down = (/** @type {any} */ event) => {
    if (link.gone) return;
    silence();
    link.ends.down(link, event);
  };
  const fail = () => down({ code: 1006 });
  const dial = () => {
    if (link.gone) return;
    try {
      link.ws = new WebSocket(url, protocols);
    } catch {
      // Mixed content, or an old browser's way to say that the CSP forbids it.
      return fail();
    }
    link.ws.onopen = () => link.gone || link.ends.opened?.(link);
    link.ws.onmessage = (/** @type {any} */ event) => link.gone || link.ends.frame(link, event);
    link.ws.onclose = down;
    // Chromium tells of a URL that the CSP forbids by this alone; else `close` follows, with no more to say.
    link.ws.onerror = fail;
  };

  const link = {
    id,
    url,
    ends,
    gone: false,
    /** Whether hello was said on it. */
    greeted: false,
    /** Whether all that it lacked was sent to the client, and the ids of puts not yet confirmed: the dialect's. */
    filled: false,
    owes: new Set(),
    /** Rings when it took too long: the race's. @type {any} */
    late: undefined,
    /** From dial on. @type {any} */
    ws: undefined,

    isOpen: () => link.ws?.readyState == 1,

    /** @param {any} data */
    send(data) {
      link.ws.send(data); // what is not open any more drops it
    },

    /** Lets it go without a word to its holder. @param {number} [code] @param {string} [reason] */
    close(code, reason) {
      if (link.gone) return;
      link.ws?.close(code, reason); // throws when the code is wrong: nothing has changed then
      silence();
    },
  };

  // Browsers slow down a page that had many WebSockets fail: after thirty, a new one may wait for 5 s. So once a round has failed, a plain request goes
  // ahead; it needs no permission of the deployment, for only whether anybody answers is asked.
  if (scout) fetch(plain(url), { mode: "no-cors", credentials: "omit", cache: "no-store", signal: stop.signal }).then(dial, fail);
  else queueMicrotask(dial);
  return link;
}

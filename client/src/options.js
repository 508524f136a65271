/** The defaults of Timing, in milliseconds. */
export const TIMING = {
  connect: 4000, welcome: 4000, ack: 2000, busy: 5000, idle: 20000, stagger: 1000, hedge: 300, moderator: 2000, direct: 120000, notice: 3000,
};

/**
 * Checks what a page is configured with, and fills in the times. A page that is wrong shall say so on its first load, not in the first failure.
 * @param {any} options as the page gave them
 * @returns {import("../livens-client").Options & {moderators: string[], timing: import("../livens-client").Timing}}
 * @throws {TypeError} naming the key that is wrong
 */
export function validate(options) {
  const { pool, url, deployments, moderators = [], timing = {} } = options || {};
  need(/^[\w.-]+$/.test(pool), "pool", "a name");
  need(isURL(url, "ws"), "url", "a wss: URL");
  need(isList(deployments) && deployments[0], "deployments", "a list");
  const ids = new Set();
  deployments.forEach((/** @type {any} */ d, /** @type {number} */ i) => {
    need(isText(d?.id) && !ids.has(d.id), `deployments[${i}].id`, "a name of its own");
    need(isList(d.urls) && d.urls[0] && d.urls.every((/** @type {any} */ u) => isURL(u, "ws")), `deployments[${i}].urls`, "wss: URLs");
    ids.add(d.id);
  });
  need(isList(moderators) && moderators.every((/** @type {any} */ m) => isURL(m, "http")), "moderators", "https: URLs");
  for (const name in timing) need(name in TIMING && timing[name] >= 0, "timing." + name, "one of " + Object.keys(TIMING) + ", in milliseconds");
  return { ...options, moderators, timing: { ...TIMING, ...timing } };
}

/** @param {any} text @returns {boolean} */
export function isText(text) {
  return !!text && typeof text == "string";
}

const isList = Array.isArray;

/** @param {any} ok @param {string} key @param {string} hint */
function need(ok, key, hint) {
  if (!ok) throw new TypeError(`livens: ${key}: want ${hint}`);
}

/** @param {any} text @param {string} scheme ws or http, each also with s */
function isURL(text, scheme) {
  try {
    return new RegExp(`^${scheme}s?:$`).test(new URL(text).protocol);
  } catch {}
}

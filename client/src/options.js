import { attempt } from "./events.js";

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
  need("pool", /^[\w.-]+$/.test(pool));
  need("url", isWS(url));
  need("deployments", isList(deployments, (d) => d));
  const ids = new Set();
  for (const { id, urls } of deployments) {
    need("id", isText(id) && ids.size < ids.add(id).size);
    need(id + ": urls", isList(urls, isWS));
  }
  need("moderators", !moderators.length || isList(moderators, isHTTP));
  for (const name in timing) need("timing." + name, name in TIMING && timing[name] >= 0);
  return { ...options, moderators, timing: { ...TIMING, ...timing } };
}

/** @param {any} text @returns {any} true of what is a text and not empty */
export const isText = (text) => typeof text == "string" && text;

/** @param {string} what @param {any} ok @throws {TypeError} unless ok */
export const need = (what, ok) => {
  if (!ok) throw new TypeError("livens: " + what);
};

/** @param {any} list @param {(item: any) => any} good */
const isList = (list, good) => Array.isArray(list) && list[0] && list.every(good);

/** @param {any} url @returns {string | undefined} its scheme, host and port: https: to a host may be allowed where wss: is not */
export const originOf = (url) => attempt(() => new URL(url).origin);

/** @param {RegExp} scheme @returns {(text: any) => boolean} */
const isURL = (scheme) => (text) => scheme.test(originOf(text) || "");
const isWS = isURL(/^ws/);
const isHTTP = isURL(/^http/);

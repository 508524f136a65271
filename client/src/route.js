import { candidates } from "./candidates.js";
import { createModerator } from "./moderator.js";
import { originOf, validate } from "./options.js";

/** @typedef {import("./race.js").Candidate} Candidate */

/**
 * What is known of the ways to the deployments of one configuration: what failed, where one was last, what the Moderators say.
 * @param {any} options not yet validated
 */
export function createRoute(options) {
  const config = validate(options);
  const moderator = createModerator(config);
  /** URLs that failed, with their deployments. @type {Map<string, string | null>} */
  const failed = new Map();
  let directUntil = 0;

  const route = {
    config,
    advice: moderator,
    failed,
    /** The deployment that was in use last. @type {string | null} */
    home: null,
    /** Origins that this page may not use. @type {Set<string | undefined>} */
    shunned: new Set(),

    /** @param {string} url */
    shuns: (url) => route.shunned.has(originOf(url)),

    /** A gap begins: the first failure in it begins the time of direct URLs only, and those after it do not prolong it. */
    reset() {
      directUntil = 0;
    },

    /** @param {Candidate} candidate @param {number} [code] 4001, "another deployment is active", is no failure, but the DNS is stale */
    fail({ url, id }, code) {
      directUntil ||= Date.now() + config.timing.direct;
      if (code != 4001) failed.set(url, id);
    },

    /** Whether the browser's DNS cache counts as stale. */
    isDirect: () => Date.now() < directUntil,

    /** Deployments that failed; a blocked URL is no failure. */
    tried: () => [...new Set([...failed].filter(([url, id]) => id && !route.shuns(url)).map(([, id]) => /** @type {string} */ (id)))],

    /** What to try, in order. @param {boolean} [fresh] the service's name first @returns {Candidate[]} */
    list(fresh) {
      const word = moderator.known();
      return candidates(config, {
        first: word ? [word.active, ...word.order] : [/** @type {string} */ (route.home)],
        tried: route.tried(),
        fresh,
        direct: route.isDirect(),
        blocked: route.shuns,
      });
    },
  };
  return route;
}

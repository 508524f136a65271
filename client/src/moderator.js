import { createAlarm } from "./alarm.js";

/** How long a Moderator's word counts, in milliseconds. */
const MEMORY = 60000;

/** @typedef {{active: string, order: string[], epoch: number, at: number}} Word */

/**
 * What the Moderators say. Nobody waits for it: whoever asks goes on with what is known, and is told when there is news.
 * @param {ReturnType<import("./options.js").validate>} options
 */
export function createModerator({ pool, deployments, moderators, timing }) {
  /** @type {Word | undefined} */
  let word;
  /** @type {Promise<boolean> | undefined} */
  let asking;

  const isOurs = (/** @type {any} */ id) => deployments.some((d) => d.id == id);

  /** The word that still counts. */
  const known = () => (word && Date.now() - word.at < MEMORY ? word : undefined);

  /**
   * Takes a word, of a Moderator or of a deployment that says `move`, unless it names a stranger or a newer word is known.
   * @param {any} active @param {any} epoch @param {any} [order]
   * @returns {boolean} whether it was taken
   */
  const hear = (active, epoch, order) => {
    const taken = isOurs(active) && Number.isSafeInteger(epoch) && epoch >= (known()?.epoch || 0);
    if (taken) word = { active, order: [order].flat().filter(isOurs), epoch, at: Date.now() };
    return taken;
  };

  /**
   * Asks one, and each further one after `hedge` or a failure. The first good answer counts.
   * @returns {Promise<boolean>} whether one answered; never rejects
   */
  const ask = () => (asking ||= new Promise((resolve) => {
    const stop = new AbortController();
    let next = 0;
    const end = (/** @type {boolean} */ answered) => {
      timer();
      stop.abort();
      asking = undefined;
      resolve(answered);
    };
    const one = async () => {
      const origin = moderators[next++];
      timer(origin ? timing.hedge : timing.moderator, origin);
      let good;
      try {
        const reply = await fetch(new URL("/v1/pools/" + pool, origin), { signal: stop.signal, credentials: "omit" });
        const said = reply.ok && (await reply.json());
        good = !stop.signal.aborted && said.pool == pool && hear(said.active, said.epoch, said.order);
      } catch {}
      if (good) end(true);
      else if (origin && !stop.signal.aborted) one();
    };
    const timer = createAlarm((origin) => (origin ? one() : end(false)));
    one();
  }));

  return { known, hear, ask };
}

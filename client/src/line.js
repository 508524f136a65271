import { createAlarm } from "./alarm.js";
import { createBlocked } from "./blocked.js";
import { backoff, spread } from "./backoff.js";
import { candidates } from "./candidates.js";
import { plain } from "./link.js";
import { createModerator } from "./moderator.js";
import { createRace } from "./race.js";
import { validate } from "./options.js";
import { listen } from "./events.js";
import { createWatchdog } from "./watchdog.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {{to: string, reason: string, epoch: number}} Move */
/** @typedef {"silence" | "ack"} Doubt what an active link did not do */

/**
 * @typedef {object} Host who uses a line
 * @property {() => boolean} busy whether a user would notice a delay
 * @property {(link: Link, event: any) => void} ready a link is ready (event: the frame that made it so, or null); more frames of it follow
 * @property {(link: Link, event: any) => void} frame
 * @property {(type: string, detail: any) => void} emit what the page is told: state, switch, blocked, reconnecting
 * @property {(code: number) => boolean} final whether a close with this code is meant
 * @property {(event: {code: number, reason: string, wasClean?: boolean}) => void} ended
 * @property {boolean} [settles] a planned move is over when the host calls settle, not when the new link is ready
 */

/**
 * A connection to whichever deployment serves: the one place that knows which link is in use, which is in doubt and what is tried beside it.
 * Once begun, either `inUse` is a ready link, or a race for one is on, or a timer stands that begins the next race.
 * @param {any} options not yet validated
 * @param {string | string[] | undefined} protocols
 * @param {any} dialect a Dialect, or undefined: an open connection is ready then
 * @param {Host} host
 */
export function createLine(options, protocols, dialect, host) {
  const valid = validate(options);
  const { timing, deployments } = valid;
  const moderator = createModerator(valid);
  /** URLs that failed since the last welcome, with their deployments. @type {Map<string, string | null>} */
  const failed = new Map();
  /** @type {ReturnType<typeof createRace> | undefined} */
  let race;
  /** What the active link is doubted for. @type {Doubt | undefined} */
  let doubted;
  /** The planned move that is on. @type {Move | undefined} */
  let moving;
  /** The deployment that was in use last. @type {string | null} */
  let last = null;
  let round = 0;
  let directUntil = 0;
  /** When the present gap began, and why. */
  let since = Date.now();
  let reason = "";
  /** When deployments complained about our frames. @type {number[]} */
  let complaints = [];
  const retry = createAlarm((next) => next());
  const notice = createAlarm(() => {
    setState("reconnecting");
    host.emit("reconnecting", { since });
  });

  const line = {
    /** In use. @type {Link | undefined} */
    inUse: undefined,
    /** Ready, and not yet in use: a planned move is on. @type {Link | undefined} */
    next: undefined,
    /** @type {import("../livens-client").State} */
    state: "connecting",
    /** Over which time a deployment wants a crowd's return spread. */
    spread: 0,
    options: valid,
    open,
    probe,
    doubt,
    trust,
    move,
    settle,
    close,
  };

  const blocked = createBlocked([valid.url, ...deployments.flatMap((d) => d.urls)], (url) => host.emit("blocked", { url, why: "csp" }));
  const watchdog = createWatchdog(timing, host.busy, (n) => line.inUse?.send(dialect?.ping(n)), (at) => doubt("silence", at));
  // The page may have slept, or the network may be another one.
  const unlisten = listen({ online: probe, pageshow: probe, resume: probe, visibilitychange: probe });

  /** Begins. */
  function open() {
    miss(since, "");
    seek();
  }

  /** Asks now whether the deployment is alive; without one, tries now. */
  function probe() {
    if (line.inUse) dialect && watchdog.probe();
    else if (!race && line.state != "closed") seek();
  }

  // Deployments that failed since the last welcome; a blocked URL is no failure.
  const tried = () => [...new Set([...failed].filter(([url, id]) => id && !blocked.has(url)).map(([, id]) => /** @type {string} */ (id)))];

  /**
   * SUSPECT: others are tried beside the active link, which is kept until one of them is ready.
   * @param {Doubt} why @param {number} at when what was not answered was sent
   */
  function doubt(why, at) {
    if (!line.inUse || doubted) return;
    if (line.next) return settle(line.next);
    doubted = why;
    failed.set(line.inUse.url, line.inUse.id);
    miss(at, why == "ack" ? "no acknowledgement" : "silent");
    seek();
  }

  /** The active link did what it was doubted for. @param {Doubt} why */
  function trust(why) {
    if (!line.inUse || doubted != why) return;
    failed.clear();
    calm();
    setState("live");
    if (moving) attach();
  }

  // Nothing is sought any more.
  function calm() {
    doubted = undefined;
    round = 0;
    halt();
    notice();
    watchdog.heard();
  }

  function halt() {
    race?.stop();
    race = undefined;
    retry();
  }

  // One round: every deployment is tried. The Moderators are asked meanwhile; what is known is enough to begin.
  function seek() {
    halt();
    const fresh = !last && !round;
    moderator.ask().then((news) => {
      const id = moderator.known()?.active;
      // On the first load the service's name leads there too.
      if (news && id && (last || round) && !tried().includes(id)) prefer(id);
    });
    run(list(fresh), adopt, () => {
      race = undefined;
      retry(backoff(++round, host.busy()), seek);
    });
  }

  /** @param {boolean} fresh @returns {import("./race.js").Candidate[]} */
  function list(fresh) {
    const word = moderator.known();
    return candidates(valid, {
      first: word ? [word.active, ...word.order] : last ? [last] : [],
      tried: tried(),
      fresh,
      direct: Date.now() < directUntil,
      blocked: blocked.has,
    });
  }

  /** @param {import("./race.js").Candidate[]} list @param {(link: Link, event: any) => void} won @param {() => void} over */
  function run(list, won, over) {
    race = createRace(list, protocols, timing, {
      hello: () => dialect?.hello({ tried: tried(), epoch: moderator.known()?.epoch || 0 }),
      ready,
      won,
      over,
      failed: lost,
      more: () => (host.busy() && (doubted || !moving) ? candidatesAgain() : []),
      scout: (url) => round > 0 && !blocked.has(plain(url)), // no request that is forbidden tells who is there
    });
  }

  function candidatesAgain() {
    round++;
    return list(false);
  }

  /** @param {string} id */
  function prefer(id) {
    // A move ends where one is already.
    if (id == line.inUse?.id && !doubted) moving = undefined;
    else race?.prefer(list(false).find((c) => c.id == id));
  }

  /** @param {Link} link @param {any} event */
  function ready(link, { data }) {
    const id = dialect.ready(data);
    if (id) {
      if (deployments.some((d) => d.id == id)) link.id = id;
      return true;
    }
    // Refused, not failed: whoever is named is tried now, unless that was in vain already.
    const move = dialect.move?.(data);
    if (move && moderator.hear(move.to, move.epoch) && !tried().includes(move.to)) prefer(move.to);
    return false;
  }

  /** @param {{url: string, id: string | null}} link @param {number} code */
  function lost(link, code) {
    directUntil = Date.now() + timing.direct;
    if (code == 4008) complaints = [...complaints.filter((at) => Date.now() - at < 60000), Date.now()];
    if (code == 4003 || complaints.length > 2 || host.final(code)) {
      close();
      return host.ended({ code, reason: "" });
    }
    if (code != 4001) failed.set(link.url, link.id);
  }

  /** @param {Link} link @param {any} event */
  function adopt(link, event) {
    const gap = Date.now() - since;
    link.id ||= moderator.known()?.active || deployments[0].id;
    use(link, { reason, gap, planned: false }, () => host.ready(link, event));
  }

  /** The planned move is over: the new link is in use, the old one goes. @param {Link} link */
  function settle(link) {
    if (link == line.next) use(link, { reason: moving?.reason, gap: 0, planned: true });
  }

  /** @param {Link} link @param {any} detail of the switch @param {() => void} [begin] */
  function use(link, detail, begin) {
    const { inUse, next } = line;
    const from = last;
    line.inUse = link;
    line.next = moving = undefined;
    last = link.id;
    failed.clear();
    hold(link);
    calm();
    setState("live");
    inUse?.close(1000);
    if (next != link) next?.close(1000);
    begin?.();
    if (from) host.emit("switch", { from, to: last, ...detail, resent: 0, replayed: 0 });
  }

  /** @param {Link} link */
  function hold(link) {
    link.ends = {
      frame(link, event) {
        if (link == line.inUse) {
          watchdog.heard();
          trust("silence");
        }
        host.frame(link, event);
      },
      down,
    };
  }

  /** @param {Link} link @param {{code: number, reason: string}} event */
  function down(link, event) {
    const { code } = event;
    if (link == line.next) {
      line.next = undefined;
      failed.set(link.url, link.id);
      return doubted || moveLater();
    }
    line.inUse = undefined;
    watchdog.stop();
    lost(link, code);
    if (line.state == "closed") return;
    if (line.next) return settle(line.next);
    moving = undefined;
    setState("reconnecting");
    const racing = doubted;
    doubted = undefined;
    if (racing) return; // for another one already, since it was doubted
    miss(Date.now(), event.reason || "closed " + code);
    halt();
    // With a chat open everything is tried at once; a page on which nobody would notice gives way to those where somebody does.
    const wait = code == 1013 || !host.busy() ? spread(line.spread) : 0;
    // Not through a timer of 0: in a hidden page that takes a second.
    if (wait) retry(wait, seek);
    else seek();
  }

  /**
   * Takes a deployment's `move`: connects to the named one beside the active link. Strangers and old words are ignored.
   * @param {Move} move
   */
  function move(move) {
    if (!moderator.hear(move.to, move.epoch) || !line.inUse || move.to == (moving?.to || line.inUse.id)) return;
    line.next?.close(1000);
    line.next = undefined;
    moving = move;
    if (doubted) prefer(move.to);
    else attach();
  }

  function attach() {
    halt();
    const { to } = /** @type {Move} */ (moving);
    run(list(false).filter((c) => c.id == to), (link, event) => {
      race = undefined;
      line.next = link;
      hold(link);
      host.ready(link, event);
      if (!host.settles) settle(link);
    }, moveLater);
  }

  function moveLater() {
    race = undefined;
    if (moving) retry(500 + backoff(++round + 2, false), attach);
  }

  /** A gap begins. @param {number} at @param {string} why */
  function miss(at, why) {
    since = at;
    reason = why;
    round = 0;
    notice(at + timing.notice - Date.now());
  }

  /** @param {import("../livens-client").State} state */
  function setState(state) {
    if (state == line.state || (state == "reconnecting" && !last)) return;
    line.state = state;
    host.emit("state", state);
  }

  /** Ends it for good. @param {number} [code] @param {string} [reason] */
  function close(code = 1000, reason) {
    calm();
    watchdog.stop();
    blocked.stop();
    unlisten();
    line.inUse?.close(code, reason);
    line.next?.close(code, reason);
    line.inUse = line.next = undefined;
    setState("closed");
  }

  return line;
}

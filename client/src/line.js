import { Blocked } from "./blocked.js";
import { backoff, spread } from "./backoff.js";
import { candidates } from "./candidates.js";
import { Moderator } from "./moderator.js";
import { Race } from "./race.js";
import { validate } from "./options.js";
import { onWake } from "./wake.js";
import { Watchdog } from "./watchdog.js";

/** @typedef {import("./link.js").Link} Link */

/**
 * @typedef {object} Host who uses a line
 * @property {() => boolean} busy whether a user would notice a delay
 * @property {(state: import("../livens-client").State) => void} state
 * @property {(link: Link, event: any) => void} ready a link is ready (event: the frame that made it so, or null); more frames of it follow
 * @property {(link: Link, event: any) => void} frame
 * @property {(detail: import("../livens-client").Switch) => void} switched
 * @property {(detail: {url: string, why: string}) => void} blocked
 * @property {(detail: {since: number}) => void} notice
 * @property {(code: number) => boolean} final whether a close with this code is meant
 * @property {(event: {code: number, reason: string, wasClean?: boolean}) => void} ended
 * @property {boolean} [settles] a planned move is over when the host calls settle, not when the new link is ready
 */

/**
 * A connection to whichever deployment serves: the one place that knows which link is in use, which is in doubt and what is tried beside it.
 * Either `active` is a ready link, or a race for one is on, or the next race has its time.
 */
export class Line {
  /** @type {Link | null} in use */
  active = null;
  /** @type {Link | null} ready, and not yet in use: a planned move is on */
  next = null;
  /** @type {import("../livens-client").State} */
  state = "connecting";

  /** @type {Race | null} */
  #race = null;
  /** @type {"" | "silence" | "ack"} what the active link is doubted for */
  #doubt = "";
  /** @type {Map<string, string | null>} URLs that failed since the last welcome, with their deployments */
  #failed = new Map();
  #round = 0;
  #directUntil = 0;
  #since = Date.now();
  #reason = "first";
  /** @type {string | null} */
  #last = null;
  /** @type {number[]} when deployments complained about our frames */
  #complaints = [];
  /** What a deployment said how long a crowd's return shall take. */
  spread = 0;
  /** @type {any} */
  #retry;
  /** @type {any} */
  #notice;
  /** @type {{to: string, reason: string} | null} */
  #moving = null;

  /**
   * @param {any} options validated here
   * @param {string | string[] | undefined} protocols
   * @param {any} dialect a Dialect, or undefined: an open connection is ready then
   * @param {Host} host
   */
  constructor(options, protocols, dialect, host) {
    this.options = validate(options);
    this.protocols = protocols;
    this.dialect = dialect;
    this.host = host;
    this.moderator = new Moderator(this.options);
    this.blocked = new Blocked((url) => {
      if (this.#urls().some((own) => this.blocked.has(own))) host.blocked({ url, why: "csp" });
    });
    this.watchdog = new Watchdog(this.options.timing, {
      busy: () => host.busy(),
      ping: (n) => dialect && this.active?.send(dialect.ping(n)),
      silent: (since) => dialect && this.doubt("silence", since),
    });
    this.unwake = onWake(() => this.probe());
  }

  #urls() {
    return [this.options.url, ...this.options.deployments.flatMap((d) => d.urls)];
  }

  /** Begins. */
  open() {
    this.#armNotice();
    this.#seek();
  }

  /** Asks now whether the deployment is alive; without one, tries now. */
  probe() {
    if (this.active) this.watchdog.probe();
    else if (!this.#race && this.state != "closed") this.#seek();
  }

  /** @returns {string[]} deployments that failed since the last welcome; a blocked URL is no failure */
  tried() {
    const ids = [...this.#failed].filter(([url, id]) => id && !this.blocked.has(url)).map(([, id]) => /** @type {string} */ (id));
    return [...new Set(ids)];
  }

  /**
   * SUSPECT: others are tried beside the active link, which is kept until one of them is ready.
   * @param {"silence" | "ack"} why @param {number} since when what was not answered was sent
   */
  doubt(why, since) {
    if (!this.active || this.#doubt) return;
    this.#doubt = why;
    this.#since = since;
    this.#reason = why == "ack" ? "no acknowledgement" : "silent";
    this.#failed.set(this.active.url, this.active.id);
    this.#armNotice();
    this.#seek();
  }

  /** The active link did what it was doubted for. @param {"silence" | "ack"} why */
  trust(why) {
    if (!this.active || this.#doubt != why) return;
    this.#failed.delete(this.active.url);
    this.#calm();
    this.#setState("live");
  }

  // Nothing is sought any more.
  #calm() {
    this.#doubt = "";
    this.#round = 0;
    this.#race?.stop();
    this.#race = null;
    clearTimeout(this.#retry);
    clearTimeout(this.#notice);
    this.watchdog.heard();
  }

  // One round: every deployment is tried. The Moderators are asked meanwhile; what is known is enough to begin.
  #seek() {
    clearTimeout(this.#retry);
    this.#race?.stop();
    this.moderator.ask().then((news) => news && this.#reorder());
    const fresh = this.#last === null && this.#round == 0;
    const list = this.#list(fresh);
    this.#race = new Race(list, this.protocols, this.options.timing, {
      hello: () => this.#hello(),
      ready: (link, event) => this.#ready(link, event),
      won: (link, event) => this.#adopt(link, event),
      failed: (link, code) => this.#lost(link, code),
      over: () => this.#again(),
    });
  }

  /** @param {boolean} fresh */
  #list(fresh) {
    const word = this.moderator.known;
    return candidates(this.options, {
      first: word ? [word.active, ...word.order] : this.#last ? [this.#last] : [],
      tried: this.tried(),
      fresh,
      direct: Date.now() < this.#directUntil,
      blocked: (url) => this.blocked.has(url),
    });
  }

  #hello() {
    return this.dialect?.hello({ tried: this.tried(), epoch: this.moderator.known?.epoch || 0 });
  }

  // A Moderator answered while a race is on: its choice comes next; at once, unless the service's name is being tried, which leads there too.
  #reorder() {
    const id = this.moderator.known?.active;
    if (!this.#race || !id || this.tried().includes(id) || (this.#last === null && this.#round == 0)) return;
    this.#prefer(id);
  }

  /** @param {string} id */
  #prefer(id) {
    const [candidate] = this.#list(false).filter((c) => c.id == id);
    if (candidate) this.#race?.prefer(candidate);
  }

  /** @param {Link} link @param {any} event */
  #ready(link, event) {
    const id = this.dialect.ready(event.data);
    if (id) {
      if (typeof id == "string" && this.options.deployments.some((d) => d.id == id)) link.id = id;
      return true;
    }
    // Refused, not failed: whoever is named is tried now, unless that was in vain already.
    const move = this.dialect.move?.(event.data);
    if (move && this.moderator.hear({ active: move.to, epoch: move.epoch }) && !this.tried().includes(move.to)) this.#prefer(move.to);
    return false;
  }

  /** @param {Link} link @param {number} code */
  #lost(link, code) {
    if (this.#fatal(code)) return this.#end({ code, reason: "" });
    if (code != 4001) this.#failed.set(link.url, link.id);
    this.#directUntil = Date.now() + this.options.timing.direct;
  }

  /** @param {number} code */
  #fatal(code) {
    if (code == 4008) {
      this.#complaints = [...this.#complaints, Date.now()].filter((at) => Date.now() - at < 60000);
      return this.#complaints.length >= 3;
    }
    return code == 4003 || this.host.final(code);
  }

  #again() {
    this.#race = null;
    this.#retry = setTimeout(() => this.#seek(), backoff(++this.#round, this.host.busy()));
  }

  /** @param {Link} link @param {any} event */
  #adopt(link, event) {
    const old = this.active;
    const from = this.#last;
    link.id ||= this.moderator.known?.active || this.options.deployments[0].id;
    this.next?.close(1000);
    this.next = null;
    this.#moving = null;
    this.#use(link);
    old?.close(1000);
    const gap = from ? Date.now() - this.#since : 0;
    this.#setState("live");
    this.host.ready(link, event);
    if (from) this.host.switched({ from, to: link.id, reason: this.#reason, gap, resent: 0, replayed: 0, planned: false });
  }

  /** @param {Link} link */
  #use(link) {
    this.active = link;
    this.#last = link.id;
    this.#failed.clear();
    this.#hold(link);
    this.#calm();
  }

  /** @param {Link} link */
  #hold(link) {
    link.ends = {
      frame: (link, event) => {
        if (link == this.active) {
          this.watchdog.heard();
          this.trust("silence");
        }
        this.host.frame(link, event);
      },
      down: (link, event) => this.#down(link, event),
    };
  }

  /** @param {Link} link @param {{code: number, reason: string}} event */
  #down(link, event) {
    if (link == this.next) {
      this.next = null;
      this.#failed.set(link.url, link.id);
      return this.#moveLater();
    }
    if (link != this.active) return;
    this.active = null;
    this.watchdog.stop();
    if (this.#fatal(event.code)) return this.#end(event);
    this.#directUntil = Date.now() + this.options.timing.direct;
    if (event.code != 4001) this.#failed.set(link.url, link.id);
    if (this.next) return this.settle(this.next);
    if (!this.#doubt) {
      this.#since = Date.now();
      this.#reason = event.reason || "closed " + event.code;
      this.#armNotice();
    }
    this.#setState("reconnecting");
    this.#moving = null;
    if (this.#doubt && this.#race) this.#doubt = "";
    else this.#afterLoss(event.code);
  }

  // With a chat open everything is tried at once; a page on which nobody would notice gives way to those where somebody does.
  /** @param {number} code */
  #afterLoss(code) {
    this.#doubt = "";
    this.#race?.stop();
    this.#race = null;
    clearTimeout(this.#retry);
    const wait = code == 1013 || !this.host.busy() ? spread(this.spread) : 0;
    if (wait) this.#retry = setTimeout(() => this.#seek(), wait);
    else this.#seek();
  }

  /**
   * Takes a deployment's `move`: connects to the named one beside the active link. Strangers and old words are ignored.
   * @param {{to: string, reason: string, epoch: number}} move
   * @param {number} wait milliseconds until it begins
   */
  move({ to, reason, epoch }, wait = 0) {
    if (!this.moderator.hear({ active: to, epoch }) || this.#moving?.to == to) return;
    if (this.active?.id == to) return;
    this.next?.close(1000);
    this.next = null;
    this.#moving = { to, reason };
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#attach(), wait);
  }

  #attach() {
    const moving = this.#moving;
    if (!moving || !this.active || this.#doubt) return;
    const list = this.#list(false).filter((c) => c.id == moving.to);
    this.#race?.stop();
    this.#race = new Race(list, this.protocols, this.options.timing, {
      hello: () => this.#hello(),
      ready: (link, event) => this.#ready(link, event),
      won: (link, event) => {
        this.#race = null;
        this.next = link;
        this.#hold(link);
        this.host.ready(link, event);
        if (!this.host.settles) this.settle(link);
      },
      failed: (link, code) => this.#lost(link, code),
      over: () => this.#moveLater(),
    });
  }

  #moveLater() {
    this.#race = null;
    if (this.#moving && this.active) this.#retry = setTimeout(() => this.#attach(), 500 + backoff(3, true));
  }

  /** The planned move is over: the new link is in use, the old one goes. @param {Link} link */
  settle(link) {
    if (link != this.next || link.gone) return;
    const old = this.active;
    const from = this.#last;
    const reason = this.#moving?.reason || "moved";
    this.next = null;
    this.#moving = null;
    this.#use(link);
    old?.close(1000);
    this.#setState("live");
    const to = /** @type {string} */ (link.id);
    this.host.switched({ from, to, reason, gap: 0, resent: 0, replayed: 0, planned: true });
  }

  #armNotice() {
    clearTimeout(this.#notice);
    const since = this.#since;
    this.#notice = setTimeout(() => {
      if (this.#last) this.#setState("reconnecting");
      this.host.notice({ since });
    }, Math.max(0, since + this.options.timing.notice - Date.now()));
  }

  /** @param {import("../livens-client").State} state */
  #setState(state) {
    if (state == this.state || this.state == "closed") return;
    if (state == "reconnecting" && !this.#last) return;
    this.state = state;
    this.host.state(state);
  }

  /** @param {{code: number, reason: string, wasClean?: boolean}} event */
  #end(event) {
    this.close(event.code == 4003 ? 1000 : undefined);
    this.host.ended(event);
  }

  /** Ends it for good. @param {number} [code] @param {string} [reason] */
  close(code, reason) {
    this.#setState("closed");
    this.#calm();
    this.watchdog.stop();
    this.blocked.stop();
    this.unwake();
    this.active?.close(code, reason);
    this.next?.close(code, reason);
    this.active = this.next = null;
  }
}

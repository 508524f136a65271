import { setMaxListeners } from "node:events";
import { Clock } from "./clock.js";
import { Deployment } from "./deployment.js";
import { Network, Server } from "./network.js";

const getRandomValues = crypto.getRandomValues.bind(crypto);

/** A nameserver's public endpoint. `word` changes what it says: it gets the right one. */
export class Nameserver extends Server {
  word = (/** @type {any} */ right) => right;

  constructor(name, plant) {
    super(name);
    this.plant = plant;
  }

  http(path) {
    if (path != "/v1/pools/chat") return { status: 404, body: "" };
    const { active, epoch } = this.plant;
    const order = [active, ...["primary", "redundant"].filter((id) => id != active)];
    return { body: this.word({ pool: "chat", active, order, epoch, states: {} }) };
  }
}

/** Storage as a browser's. */
export class Store extends Map {
  limit = Infinity;
  getItem(key) {
    return this.get(key) ?? null;
  }
  setItem(key, value) {
    if (value.length > this.limit) throw new DOMException("full", "QuotaExceededError");
    this.set(key, String(value));
  }
  removeItem(key) {
    this.delete(key);
  }
}

/** A window, with what happens to its document: an event there passes the window's capturing listeners, and its others only when it bubbles. */
class Page extends EventTarget {
  #capturing = new EventTarget();

  constructor() {
    super();
    setMaxListeners(0, this, this.#capturing);
  }

  addEventListener(type, listener, capture) {
    if (capture) this.#capturing.addEventListener(type, listener);
    else super.addEventListener(type, listener);
  }

  removeEventListener(type, listener, capture) {
    if (capture) this.#capturing.removeEventListener(type, listener);
    else super.removeEventListener(type, listener);
  }

  dispatchEvent(event) {
    this.#capturing.dispatchEvent(event);
    // Page Lifecycle: these two happen to the document, and do not bubble.
    return /^(freeze|resume)$/.test(event.type) || super.dispatchEvent(event);
  }
}

/** Two deployments, two nameservers, a page's globals. What a test does not break works. */
export class World {
  plant = { active: "primary", epoch: 100, knownDown: new Set(), heard: true };

  constructor(random) {
    this.clock = new Clock().install();
    this.network = new Network(this.clock, random).install();
    this.primary = new Deployment("primary", this.plant);
    this.redundant = new Deployment("redundant", this.plant);
    this.primary.other = this.redundant;
    this.redundant.other = this.primary;
    this.ns1 = new Nameserver("ns1", this.plant);
    this.ns2 = new Nameserver("ns2", this.plant);
    this.network.add("chat.test", this.primary);
    this.network.add("primary.test", this.primary);
    this.network.add("203.0.113.10", this.primary);
    this.network.add("redundant.test", this.redundant);
    this.network.add("198.51.100.20", this.redundant);
    this.network.add("ns1.test", this.ns1);
    this.network.add("ns2.test", this.ns2);
    this.random = Math.random;
    if (random) {
      Math.random = random;
      crypto.getRandomValues = /** @type {any} */ ((/** @type {Uint8Array} */ bytes) => bytes.map(() => Math.floor(random() * 256)));
    }
    Object.defineProperty(globalThis, "sessionStorage", { value: new Store(), configurable: true, writable: true });
    Object.defineProperty(globalThis, "localStorage", { value: new Store(), configurable: true, writable: true });
    const page = new Page();
    globalThis.addEventListener = page.addEventListener.bind(page);
    globalThis.removeEventListener = page.removeEventListener.bind(page);
    this.page = this.network.page = page;
    /** @type {any} */ (globalThis).BroadcastChannel = undefined;
    /** @type {any} */ (globalThis).CloseEvent = class extends Event {
      constructor(type, init) {
        super(type);
        Object.assign(this, init);
      }
    };
  }

  /** What a page is configured with. */
  options(more = {}) {
    return {
      pool: "chat",
      url: "wss://chat.test/chat",
      deployments: [
        { id: "primary", urls: ["wss://primary.test/chat", "wss://203.0.113.10/chat"] },
        { id: "redundant", urls: ["wss://redundant.test/chat", "wss://198.51.100.20/chat"] },
      ],
      moderators: ["https://ns1.test", "https://ns2.test"],
      ...more,
    };
  }

  /** The nameservers decide. */
  activate(name) {
    this.plant.active = name;
    this.plant.epoch++;
  }

  /** Both deployments learn of a planned switch, and move whom they have. */
  move(name, spread = 0) {
    const from = this[this.plant.active];
    this.activate(name);
    from.moveAll(name, "planned: upgrade", spread);
  }

  /** URLs that were connected to since the log was last cleared. */
  get connects() {
    return this.network.log.filter((entry) => entry.connect).map((entry) => entry.connect);
  }

  /** How many sockets are open at the page. */
  get open() {
    return this.network.log.filter((entry) => entry.socket?.readyState == 1).length;
  }

  end() {
    this.clock.uninstall();
    Math.random = this.random;
    crypto.getRandomValues = getRandomValues;
  }
}

/** Records the events of a socket or session. */
export function record(target, ...types) {
  const seen = [];
  for (const type of types) target.addEventListener(type, (e) => seen.push({ type, detail: e.detail, data: e.data, code: e.code }));
  return seen;
}

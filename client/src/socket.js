import { custom, failure } from "./events.js";
import { Line } from "./line.js";

/** What is kept for sending while reconnecting, in bytes. */
const KEPT = 65536;

/**
 * A WebSocket that goes on when its deployment does not. See livens-client.d.ts.
 */
export class FailoverSocket extends EventTarget {
  #line;
  /** @type {any[]} */
  #kept = [];
  #opened = false;
  #size = 0;
  #binaryType = "blob";
  /** @type {((e: any) => void) | null} */ onopen = null;
  /** @type {((e: any) => void) | null} */ onmessage = null;
  /** @type {((e: any) => void) | null} */ onclose = null;
  /** @type {((e: any) => void) | null} */ onerror = null;

  /**
   * @param {import("../livens-client").Options} options
   * @param {string | string[]} [protocols]
   * @param {import("../livens-client").Dialect} [dialect]
   * @throws {TypeError} when the options are wrong
   */
  constructor(options, protocols, dialect) {
    super();
    this.#line = new Line(options, protocols, dialect, {
      busy: () => true,
      state: (state) => this.dispatchEvent(custom("state", state)),
      ready: (link) => {
        link.ws.binaryType = this.#binaryType;
        if (!this.#opened) {
          this.#opened = true;
          this.#tell(new Event("open"));
        }
      },
      frame: (link, event) => {
        const move = dialect?.move?.(event.data);
        if (move) return this.#line.move(move, Math.random() * Math.min(move.spread || 0, 60000));
        this.#tell(new MessageEvent("message", { data: event.data, origin: event.origin }));
      },
      switched: (detail) => {
        const kept = this.#kept;
        this.#kept = [];
        this.#size = 0;
        for (const data of kept) this.#line.active?.send(data);
        this.dispatchEvent(custom("switch", { ...detail, resent: kept.length }));
      },
      blocked: (detail) => this.dispatchEvent(custom("blocked", detail)),
      notice: (detail) => this.dispatchEvent(custom("reconnecting", detail)),
      // A deployment that goes away is left; one that has said all it wanted to, or does not understand, is obeyed.
      final: (code) => (!dialect && code == 1000) || [1002, 1003, 1007, 1008, 1009, 1010].includes(code) || (code >= 3000 && code != 4001 && code != 4008),
      ended: (event) => this.#closed(event),
    });
    this.#line.open();
  }

  get readyState() {
    if (this.#line.state == "closed") return 3;
    return this.#opened ? 1 : 0;
  }
  get state() {
    return this.#line.state;
  }
  get deployment() {
    return this.#line.active?.id ?? null;
  }
  get url() {
    return this.#line.active?.url ?? this.#line.options.url;
  }
  get protocol() {
    return this.#line.active?.ws.protocol ?? "";
  }
  get bufferedAmount() {
    return this.#size + (this.#line.active?.ws.bufferedAmount ?? 0);
  }
  get binaryType() {
    return this.#binaryType;
  }
  set binaryType(type) {
    this.#binaryType = type;
    if (this.#line.active) this.#line.active.ws.binaryType = type;
  }

  /**
   * @param {any} data
   * @throws {DOMException} InvalidStateError before `open`, QuotaExceededError when 64 KiB are kept
   */
  send(data) {
    if (!this.#opened) throw failure("InvalidStateError", "not open yet");
    if (this.#line.state == "closed") return;
    if (this.#line.active) {
      this.#line.active.send(data);
      return this.#line.dialect && this.#line.probe();
    }
    const size = data.size ?? data.byteLength ?? new TextEncoder().encode(data).length;
    if (this.#size + size > KEPT) throw failure("QuotaExceededError", "reconnecting, and 64 KiB wait already");
    this.#size += size;
    this.#kept.push(data);
  }

  /** @param {number} [code] @param {string} [reason] */
  close(code = 1000, reason = "") {
    if (this.#line.state == "closed") return;
    this.#line.close(code, reason);
    setTimeout(() => this.#closed({ code, reason, wasClean: true }));
  }

  /** Asks whether the deployment is alive, now. */
  probe() {
    this.#line.probe();
  }

  /** @param {{code: number, reason: string, wasClean?: boolean}} event */
  #closed({ code, reason, wasClean }) {
    if (!wasClean) this.#tell(new Event("error"));
    const event = globalThis.CloseEvent ? new CloseEvent("close", { code, reason, wasClean }) : Object.assign(new Event("close"), { code, reason, wasClean });
    this.#tell(event);
  }

  /** @param {any} event */
  #tell(event) {
    this.dispatchEvent(event);
    /** @type {any} */ (this)["on" + event.type]?.call(this, event);
  }
}

import { createAlarm } from "./alarm.js";
import { spread } from "./backoff.js";
import { bytes, custom, expose, failure } from "./events.js";
import { createLine } from "./line.js";

/** What is kept for sending while reconnecting, in bytes. */
const KEPT = 65536;

/** Codes with which a server says that it does not want this conversation, whichever deployment it is at. */
const FINAL = /^10(0[23789]|10)$/;

/** What readyState may be. */
const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };

/** A WebSocket that goes on when its deployment does not. Its members are described in livens-client.d.ts. */
export class FailoverSocket extends EventTarget {
  /**
   * @param {import("../livens-client").Options} options
   * @param {string | string[]} [protocols]
   * @param {import("../livens-client").Dialect} [dialect]
   * @throws {TypeError} when the options are wrong
   */
  constructor(options, protocols, dialect) {
    super();
    /** What was written while there was nobody to send it to. @type {any[]} */
    let kept = [];
    let size = 0;
    let opened = false;
    let binaryType = "blob";
    const tell = (/** @type {Event} */ event) => {
      this.dispatchEvent(event);
      /** @type {any} */ (this)["on" + event.type]?.(event);
    };
    const closed = (/** @type {any} */ event) => {
      if (!event.wasClean) tell(new Event("error"));
      tell(new CloseEvent("close", event));
    };

    const line = createLine(options, protocols, dialect, {
      eager: () => true,
      begins(link) {
        link.ws.binaryType = binaryType;
        line.settle(link);
        if (opened) return;
        opened = true;
        tell(new Event("open"));
      },
      frame(link, event) {
        const move = dialect?.move?.(event.data);
        if (move) moving(spread(move.spread), move);
        else tell(new MessageEvent("message", event));
      },
      emit: (type, detail) => {
        if (type == "switch") {
          for (const data of kept) line.inUse?.send(data);
          detail.resent = kept.length;
          kept = [];
          size = 0;
        }
        this.dispatchEvent(custom(type, detail));
      },
      // A deployment that goes away is left; one that has said all it wanted to, or does not understand, is obeyed.
      final: (code) => FINAL.test(/** @type {any} */ (code)) || (!dialect && code == 1000) || (code >= 3000 && code != 4001 && code != 4008),
      ended: closed,
    });

    const moving = createAlarm(line.follow);

    expose(this, {
      ...STATES,
      get readyState() {
        return line.state == "closed" ? 3 : +opened;
      },
      get state() {
        return line.state;
      },
      get deployment() {
        return line.inUse?.id || null;
      },
      get url() {
        return line.inUse?.url || line.config.url;
      },
      get protocol() {
        return line.inUse?.ws.protocol || "";
      },
      get bufferedAmount() {
        return size + (line.inUse?.ws.bufferedAmount || 0);
      },
      get binaryType() {
        return binaryType;
      },
      set binaryType(type) {
        binaryType = type;
        if (line.inUse) line.inUse.ws.binaryType = type;
      },
      send(/** @type {any} */ data) {
        if (!opened) throw failure("InvalidStateError", "not open");
        if (line.state == "closed") return;
        if (line.inUse) {
          line.inUse.send(data);
          return line.check();
        }
        const more = data.size ?? data.byteLength ?? bytes(data);
        if (size + more > KEPT) throw failure("QuotaExceededError", "full");
        size += more;
        kept.push(data);
      },
      close(code = 1000, reason = "") {
        if (line.state == "closed") return;
        line.close(code, reason);
        moving();
        setTimeout(closed, 0, { code, reason, wasClean: true });
      },
      probe: () => line.check(true),
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    });
    line.open();
  }
}

expose(FailoverSocket, STATES);

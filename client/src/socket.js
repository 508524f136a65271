import { createAlarm } from "./alarm.js";
import { spread } from "./backoff.js";
import { bytes, custom, expose, failure } from "./events.js";
import { createLine } from "./line.js";

/** What is kept for sending while reconnecting, in bytes. */
const KEPT = 65536;

/** Codes with which a server says that it does not want this conversation, whichever deployment it is at. */
const FINAL = [1002, 1003, 1007, 1008, 1009, 1010];

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
    const closed = (/** @type {any} */ { code, reason, wasClean }) => {
      if (!wasClean) tell(new Event("error"));
      tell(new CloseEvent("close", { code, reason, wasClean }));
    };

    const line = createLine(options, protocols, dialect, {
      busy: () => true,
      ready(link) {
        link.ws.binaryType = binaryType;
        if (opened) return;
        opened = true;
        tell(new Event("open"));
      },
      frame(link, { data, origin }) {
        const move = dialect?.move?.(data);
        if (move) moving(spread(move.spread), move);
        else tell(new MessageEvent("message", { data, origin }));
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
      final: (code) => FINAL.includes(code) || (!dialect && code == 1000) || (code >= 3000 && code != 4001 && code != 4008),
      ended: closed,
    });

    const moving = createAlarm(line.move);

    expose(this, {
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
        return line.inUse?.url || line.options.url;
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
        if (!opened) throw failure("InvalidStateError", "not open yet");
        if (line.state == "closed") return;
        if (line.inUse) {
          line.inUse.send(data);
          return line.probe();
        }
        const more = data.size ?? data.byteLength ?? bytes(data);
        if (size + more > KEPT) throw failure("QuotaExceededError", "too much waits");
        size += more;
        kept.push(data);
      },
      close(code = 1000, reason = "") {
        if (line.state == "closed") return;
        moving();
        line.close(code, reason);
        setTimeout(closed, 0, { code, reason, wasClean: true });
      },
      probe: line.probe,
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    });
    line.open();
  }
}

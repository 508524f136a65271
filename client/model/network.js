// The network between a page and the servers. Each host has a condition:
//   up, dead (refuses at once, and resets what was open), silent (packets vanish; what was sent comes through when it is up again,
//   as TCP repeats it), 403 or 503 (answers an upgrade with that).

export class Network {
  /** @type {Map<string, any>} host → server */
  hosts = new Map();
  /** @type {Set<string>} hosts that this page's CSP forbids */
  forbidden = new Set();
  /** @type {Set<string>} hosts that it forbids for plain requests only */
  noPlain = new Set();
  log = [];

  constructor(clock, random = () => 0.5) {
    this.clock = clock;
    this.random = random;
  }

  install() {
    const network = this;
    globalThis.WebSocket = /** @type {any} */ (
      class extends Socket {
        constructor(url, protocols) {
          super(network, url, protocols);
        }
      }
    );
    globalThis.fetch = /** @type {any} */ ((url, init) => this.#fetch(url, init));
    return this;
  }

  add(host, server) {
    this.hosts.set(host, server);
  }

  /** Carries f to the other side, unless the host is silent: then when it is not any more. */
  carry(server, f) {
    // Nothing overtakes on a connection, also when the latency falls.
    server.arrives = Math.max(server.arrives, this.clock.now + server.latency);
    setTimeout(() => {
      if (server.condition == "silent") server.held.push(f);
      else f();
    }, server.arrives - this.clock.now);
  }

  async #fetch(url, { signal } = {}) {
    const { host, pathname } = new URL(url);
    this.log.push({ at: this.clock.now, fetch: url });
    const server = this.hosts.get(host);
    if (this.noPlain.has(host)) {
      setTimeout(() => this.page.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI: url, effectiveDirective: "connect-src" })), 0);
      throw new TypeError("Failed to fetch");
    }
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      if (!server || server.condition == "dead") return void setTimeout(() => reject(new TypeError("Failed to fetch")), 1);
      this.carry(server, () => {
        const { status = 200, body } = server.http(pathname);
        this.carry(server, () => resolve(new Response(typeof body == "string" ? body : JSON.stringify(body), { status })));
      });
    });
  }
}

class Socket {
  readyState = 0;
  bufferedAmount = 0;
  binaryType = "blob";
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  protocol = "";
  /** @type {any} what the server holds of this connection */
  peer = null;

  constructor(network, url, protocols) {
    this.network = network;
    this.url = url;
    const { host } = new URL(url);
    network.log.push({ at: network.clock.now, connect: url, socket: this });
    const server = (this.server = network.hosts.get(host));
    if (network.forbidden.has(host)) {
      setTimeout(() => {
        network.page.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI: url, effectiveDirective: "connect-src" }));
        // As Chromium does: no close.
        this.readyState = 3;
        this.onerror?.({});
      }, 0);
    } else if (!server || server.condition == "dead") setTimeout(() => this.closed(1006), 1);
    else {
      server.sockets.add(this);
      network.carry(server, () => {
        if (this.readyState == 3) return;
        if (server.condition == "dead" || /^\d/.test(server.condition)) return network.carry(server, () => this.closed(1006));
        this.protocol = [protocols].flat()[0] || "";
        this.peer = server.accept(this, network);
        network.carry(server, () => {
          if (this.readyState != 0) return;
          this.readyState = 1;
          this.onopen?.({});
        });
      });
    }
  }

  send(data) {
    if (this.readyState != 1) return;
    this.network.carry(this.server, () => this.peer?.received(data));
  }

  close(code = 1005) {
    if (code != 1005 && code != 1000 && !(code >= 3000 && code < 5000)) throw new DOMException("code", "InvalidAccessError");
    if (this.readyState == 3) return;
    this.readyState = 2;
    if (this.peer) this.network.carry(this.server, () => this.peer.closed());
    setTimeout(() => this.closed(code), 0);
  }

  /** From the server. */
  deliver(data) {
    this.network.carry(this.server, () => this.readyState == 1 && this.onmessage?.({ data, origin: new URL(this.url).origin }));
  }

  closed(code, reason = "") {
    if (this.readyState == 3) return;
    this.readyState = 3;
    this.server?.sockets.delete(this);
    if (code == 1006) this.onerror?.({});
    this.onclose?.({ code, reason, wasClean: code != 1006 });
  }
}

/** What every simulated server is: a condition, its connections, and what is held back while it is silent. */
export class Server {
  condition = "up";
  latency = 3;
  arrives = 0;
  held = [];
  /** @type {Set<any>} */
  sockets = new Set();

  constructor(name) {
    this.name = name;
  }

  /** Changes the condition, with what that does to connections. */
  become(condition) {
    this.condition = condition;
    if (condition == "dead") {
      this.held = [];
      for (const socket of [...this.sockets]) {
        socket.peer?.closed();
        setTimeout(() => socket.closed(1006), 1);
      }
    }
    if (condition != "silent") for (const f of this.held.splice(0)) f();
  }

  accept() {
    return null;
  }

  http() {
    return { status: 404, body: "" };
  }
}

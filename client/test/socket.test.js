import assert from "node:assert/strict";
import { test } from "node:test";
import { FailoverSocket } from "../src/index.js";
import { world } from "../model/people.js";
import { record, Store } from "../model/world.js";
import { Server } from "../model/network.js";

/** A server that answers each frame with the same, and pings. */
class Echo extends Server {
  got = [];
  accept(socket) {
    return {
      closed: () => {},
      received: (data) => {
        if (this.condition == "dead") return;
        this.got.push(data);
        socket.deliver(String(data).startsWith("ping") ? "pong" : "echo " + data);
      },
    };
  }
}

function echoes(t) {
  const w = world(t);
  w.a = new Echo("a");
  w.b = new Echo("b");
  for (const host of ["chat.test", "primary.test", "203.0.113.10"]) w.network.add(host, w.a);
  for (const host of ["redundant.test", "198.51.100.20"]) w.network.add(host, w.b);
  return w;
}

const dialect = { hello: ({ tried }) => "hello " + tried, ready: (d) => d.startsWith("echo hello"), ping: (n) => "ping " + n };

test("its states have their names, as a WebSocket's: on the class and on each", (t) => {
  const w = echoes(t);
  const socket = new FailoverSocket(w.options());
  for (const it of [FailoverSocket, socket]) assert.deepEqual([it.CONNECTING, it.OPEN, it.CLOSING, it.CLOSED], [0, 1, 2, 3]);
  assert.equal(socket.readyState, FailoverSocket.CONNECTING);
  socket.close();
});

test("it is a WebSocket: open once, message, send, close", async (t) => {
  const w = echoes(t);
  const socket = new FailoverSocket(w.options(), "sub.1");
  const seen = record(socket, "open", "message", "close", "error", "state", "switch");
  const handled = [];
  socket.onopen = () => handled.push("open");
  socket.onmessage = (e) => handled.push(e.data);
  socket.onclose = (e) => handled.push(e.code);
  assert.equal(socket.readyState, 0);
  assert.throws(() => socket.send("early"), { name: "InvalidStateError" });
  await w.clock.until(() => socket.readyState == 1);
  assert.equal(socket.protocol, "sub.1");
  assert.equal(socket.url, "wss://chat.test/chat");
  assert.equal(socket.deployment, "primary");
  assert.equal(socket.bufferedAmount, 0);
  socket.binaryType = "arraybuffer";
  assert.equal(socket.binaryType, "arraybuffer");
  socket.send("one");
  await w.clock.run(50);
  w.a.become("dead");
  await w.clock.run(100);
  assert.equal(socket.deployment, "redundant");
  socket.send("two");
  await w.clock.run(50);
  socket.close(1000, "done");
  socket.close();
  assert.equal(socket.readyState, 3);
  await w.clock.run(50);
  assert.deepEqual(handled, ["open", "echo one", "echo two", 1000]);
  assert.deepEqual(seen.filter((e) => e.type == "open" || e.type == "close" || e.type == "error").map((e) => e.type), ["open", "close"]);
  socket.send("late"); // as a WebSocket's: ignored
  await w.clock.run(60_000);
  assert.equal(w.clock.size, 0);
});

test("what is sent while reconnecting is kept, up to 64 KiB", async (t) => {
  const w = echoes(t);
  const socket = new FailoverSocket(w.options());
  const seen = record(socket, "message", "switch");
  await w.clock.until(() => socket.readyState == 1);
  w.a.become("dead");
  w.b.become("dead");
  await w.clock.run(20);
  assert.equal(socket.readyState, 1, "open, as the page sees it");
  assert.equal(socket.state, "reconnecting");
  assert.equal(socket.deployment, null);
  socket.send("one");
  socket.send(new Uint8Array(1000));
  assert.equal(socket.bufferedAmount, 1003);
  assert.throws(() => socket.send("x".repeat(65_000)), { name: "QuotaExceededError" });
  w.b.become("up");
  await w.clock.run(2500);
  assert.equal(seen.find((e) => e.type == "switch").detail.resent, 2);
  assert.equal(w.b.got[0], "one");
  assert.equal(w.b.got.length, 2);
  assert.equal(socket.bufferedAmount, 0);
});

test("with a dialect: hello first, frames before ready are not shown, the heartbeat notices a black hole", async (t) => {
  const w = echoes(t);
  const socket = new FailoverSocket(w.options(), [], dialect);
  const seen = record(socket, "message", "switch");
  await w.clock.until(() => socket.readyState == 1);
  assert.deepEqual(w.a.got, ["hello "]);
  assert.deepEqual(seen, []);
  w.a.become("silent");
  socket.send("x");
  await w.clock.run(3000);
  assert.equal(socket.deployment, "redundant");
  assert.deepEqual(w.b.got, ["hello primary"]);
  assert.equal(seen.find((e) => e.type == "switch").detail.reason, "silent");
});

test("a server that means it is obeyed; one that goes away is left", async (t) => {
  for (const [code, left, withDialect] of [[1000, false, false], [1000, true, true], [1008, false], [4000, false], [4003, false], [1001, true], [1006, true], [1011, true], [1012, true], [4001, true]]) {
    const w = echoes(t);
    const socket = new FailoverSocket(w.options(), [], withDialect ? dialect : undefined);
    const seen = record(socket, "close", "error");
    await w.clock.until(() => socket.readyState == 1);
    for (const s of w.a.sockets) s.closed(code, "because");
    await w.clock.run(200);
    assert.equal(socket.state, left ? "live" : "closed", "code " + code);
    assert.deepEqual(seen.filter((e) => e.type == "close").map((e) => e.code), left ? [] : [code]);
    socket.close();
    w.end();
  }
});

test("a dialect's move: beside, and never without a socket", async (t) => {
  const w = echoes(t);
  const socket = new FailoverSocket(w.options(), [], { ...dialect, move: (d) => (d == "echo go" ? { to: "redundant", reason: "planned", epoch: 200, spread: 0 } : null) });
  const seen = record(socket, "message", "switch");
  await w.clock.until(() => socket.readyState == 1);
  socket.send("go");
  for (let i = 0; i < 100; i++) {
    await w.clock.run(1);
    assert.ok(w.open >= 1);
  }
  assert.equal(socket.deployment, "redundant");
  assert.deepEqual(seen.filter((e) => e.type == "switch").map((e) => [e.detail.to, e.detail.gap, e.detail.planned]), [["redundant", 0, true]]);
  assert.ok(!seen.some((e) => e.data == "echo go"), "the frame itself is not shown");
});

test("a dialect may tell which deployment the service's name led to", async (t) => {
  const w = echoes(t);
  const socket = new FailoverSocket(w.options(), [], { ...dialect, ready: (d) => d.startsWith("echo hello") && "redundant" });
  await w.clock.until(() => socket.readyState == 1);
  assert.equal(socket.deployment, "redundant");
});

test("a final close is told as it was; a wrong code for close changes nothing", async (t) => {
  const w = echoes(t);
  const socket = new FailoverSocket(w.options());
  const seen = [];
  for (const type of ["close", "error"]) socket.addEventListener(type, (/** @type {any} */ e) => seen.push([type, e.code, e.reason]));
  await w.clock.until(() => socket.readyState == 1);
  assert.throws(() => socket.close(1001), { name: "InvalidAccessError" });
  assert.equal(socket.state, "live");
  socket.send("still");
  await w.clock.run(50);
  assert.equal(w.a.got.at(-1), "still");
  for (const s of w.a.sockets) s.closed(1008, "because");
  await w.clock.run(50);
  assert.deepEqual(seen, [["close", 1008, "because"]]);
});

const bad = {
  pool: [{ pool: "" }, { pool: "a b" }, { pool: 7 * NaN + "/" }],
  url: [{ url: "https://x" }, { url: "x" }, { url: undefined }],
  deployments: [{ deployments: [] }, { deployments: undefined }, { deployments: "x" }, { deployments: [null] }],
  id: [{ deployments: [{ id: "", urls: ["wss://a"] }] }, { deployments: [{ id: "a", urls: ["wss://a"] }, { id: "a", urls: ["wss://b"] }] }],
  urls: [{ deployments: [{ id: "a", urls: [] }] }, { deployments: [{ id: "a" }] }, { deployments: [{ id: "a", urls: ["http://a"] }] }],
  moderators: [{ moderators: ["wss://x"] }, { moderators: "x" }],
  timing: [{ timing: { connect: -1 } }, { timing: { conect: 1 } }, { timing: { ack: "fast" } }],
};
for (const [key, cases] of Object.entries(bad)) {
  test(`options: wrong ${key} is a TypeError that names it`, (t) => {
    const w = echoes(t);
    for (const more of cases) assert.throws(() => new FailoverSocket(w.options(more)), (e) => e instanceof TypeError && e.message.startsWith("livens: ") && e.message.includes(key), JSON.stringify(more));
    assert.throws(() => new FailoverSocket(), TypeError);
    assert.equal(w.connects.length, 0);
    assert.ok(new Store());
  });
}

test("probe: asks now; while reconnecting it tries now; after close it does nothing", async (t) => {
  const w = echoes(t);
  const dead = (condition) => [w.a, w.b].forEach((s) => s.become(condition));
  Math.random = () => 0.99;
  const socket = new FailoverSocket(w.options(), undefined, dialect);
  await w.clock.until(() => socket.readyState == 1);
  const pings = () => w.a.got.filter((f) => f.startsWith("ping")).length;
  const before = pings();
  socket.probe();
  await w.clock.run(50);
  assert.equal(pings(), before + 1);
  dead("dead");
  await w.clock.run(100_000);
  dead("up");
  w.network.log = [];
  socket.probe();
  await w.clock.run(200);
  assert.equal(socket.state, "live", "by itself it would wait for up to 15 s");
  socket.close();
  await w.clock.run(200);
  w.network.log = [];
  socket.probe();
  await w.clock.run(20_000);
  assert.deepEqual(w.network.log, []);
});

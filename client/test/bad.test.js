import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, person, world } from "../model/people.js";

test("malformed frames are ignored", async (t) => {
  const w = world(t);
  w.primary.faults.add("lies");
  const { visitor, operator, c } = await chatting(w);
  const own = visitor.of("message").find((m) => m.from == "visitor").s;
  const frames = ["", "null", "7", "[]", "{", '"x"', "{}", '{"t":"msg"}', '{"t":null}', '{"t":"ack"}', '{"t":"synced","id":"x"}', '{"t":"put"}',
    { t: "msg", c, s: "o-x", n: 0, from: "operator", at: 1, text: "n 0" },
    { t: "msg", c, s: "o-x", n: -1, from: "operator", at: 1, text: "n -1" },
    { t: "msg", c, s: "o-x", n: 1.5, from: "operator", at: 1, text: "n 1.5" },
    { t: "msg", c, s: "o-x", n: "1", from: "operator", at: 1, text: "n string" },
    { t: "msg", c, s: "o-x", n: 1, from: "admin", at: 1, text: "from" },
    { t: "msg", c, s: "o-x", n: 1, from: "operator", at: "1", text: "at" },
    { t: "msg", c, s: "o-x", n: 1, from: "operator", at: 1, text: { html: 1 } },
    { t: "msg", c, s: ["o-x"], n: 1, from: "operator", at: 1, text: "s" },
    { t: "msg", c: "someone-else", s: "o-x", n: 1, from: "operator", at: 1, text: "another's" },
    { t: "msg", c, s: "o-x", n: 1, from: "operator", at: 1, text: "kind", kind: "unheard" },
    { t: "ack", c, have: { [own]: "many" }, by: "safe" },
    { t: "ack", c, have: null, by: "safe" },
    { t: "ack", c, have: { [own]: 1e9 }, by: "everyone" },
    { t: "ack", c: "unknown", have: { [own]: 5 }, by: "safe" },
    { t: "unheard-of" },
  ];
  for (const s of w.primary.sessions) if (s.who.role == "visitor") for (const f of frames) s.socket.deliver(typeof f == "string" ? f : JSON.stringify(f));
  await w.clock.run(6000);
  assert.deepEqual(visitor.texts(), ["Is this in stock?", "It is."]);
  assert.equal(visitor.session.state, "live");
  assert.deepEqual(visitor.of("switch"), []);
  operator.session.send("still", c);
  await w.clock.run(100);
  assert.equal(visitor.texts().at(-1), "still");
});

test("__proto__ as a name is a name", async (t) => {
  const w = world(t);
  const { visitor, c } = await chatting(w);
  for (const s of w.primary.sessions) {
    s.socket.deliver(`{"t":"msg","c":"${c}","s":"__proto__","n":1,"from":"operator","at":1,"text":"polluted"}`);
    s.socket.deliver(`{"t":"ack","c":"${c}","have":{"__proto__":{"x":1}},"by":"safe"}`);
  }
  await w.clock.run(50);
  assert.equal({}.x, undefined);
  assert.equal(visitor.session.state, "live");
});

test("HTML stays text", async (t) => {
  const w = world(t);
  const { visitor, operator } = await chatting(w);
  const html = "<img src=x onerror=alert(1)></script>\u2028";
  visitor.session.send(html);
  await w.clock.run(100);
  assert.equal(operator.texts().at(-1), html);
});

test("4003: it stops, rejects what waits, and tells the page", async (t) => {
  const w = world(t);
  const operator = person(w, "operator", { token: "wrong" });
  const rejected = assert.rejects(operator.session.send("x", "c1"), { name: "AbortError" });
  await w.clock.run(60_000);
  await rejected;
  assert.equal(operator.session.state, "closed");
  assert.ok(operator.of("drop").some((d) => d.why == "refused: 4003"));
  assert.equal(w.connects.length, 1, "no other deployment is asked");
  assert.equal(w.clock.size, 0);
});

test("4003 in the middle of a chat", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  for (const s of [...w.primary.sessions]) if (s.who.role == "visitor") s.end(4003);
  await w.clock.run(100);
  assert.equal(visitor.session.state, "closed");
  assert.deepEqual(visitor.of("drop"), [{ why: "refused: 4003" }], "once, though nothing waits");
  for (const s of [...w.primary.sessions]) s.end(4003);
  operator.session.end(c);
  await w.clock.run(100);
  assert.deepEqual(operator.of("drop"), [{ why: "refused: 4003" }], "once, though an end waits");
});

test("a visitor's end() is a mistake that does not cost the session", async (t) => {
  const w = world(t);
  const { visitor, c } = await chatting(w);
  assert.throws(() => visitor.session.end(c), { name: "TypeError", message: "livens: role" });
  await w.clock.run(10_000);
  assert.equal(visitor.session.state, "live");
  assert.deepEqual(visitor.of("drop"), []);
});

test("4008: gone on with at another deployment, but for the third within a minute", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  const complain = async () => {
    for (const d of [w.primary, w.redundant]) for (const s of [...d.sessions]) if (s.who.role == "visitor") s.end(4008);
    await w.clock.run(3000);
  };
  await complain();
  await complain();
  assert.equal(visitor.session.state, "live");
  await w.clock.run(60_000);
  await complain();
  assert.equal(visitor.session.state, "live", "the first two are forgotten");
  await complain();
  await complain();
  assert.equal(visitor.session.state, "closed");
});

test("a welcome that names a stranger does not make it a deployment", async (t) => {
  const w = world(t);
  w.primary.name = "evil";
  w.plant.active = "evil";
  w.ns1.become("dead");
  w.ns2.become("dead");
  const visitor = person(w, "visitor");
  await w.clock.until(() => visitor.session.state == "live");
  assert.equal(visitor.session.deployment, "primary", "as configured");
});

test("role: want visitor or operator", (t) => {
  const w = world(t);
  assert.throws(() => person(w, "admin"), /livens: role$/);
});

test("what a deployment would refuse for good is refused at once: a key that is too short, an operator without a token", (t) => {
  const w = world(t);
  assert.throws(() => person(w, "visitor", { key: "short" }), { name: "TypeError", message: "livens: key" });
  assert.throws(() => person(w, "operator", { token: undefined }), { name: "TypeError", message: "livens: token" });
  for (const length of [22, 64]) person(w, "visitor", { key: "k".repeat(length) });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { person, world } from "../model/people.js";
import { Store } from "../model/world.js";

// BroadcastChannel of several tabs, on the world's clock.
function channels(t) {
  const open = new Set();
  globalThis.BroadcastChannel = class {
    onmessage = null;
    constructor(name) {
      this.name = name;
      open.add(this);
    }
    postMessage(data) {
      for (const c of open) if (c != this && c.name == this.name) setTimeout(() => open.has(c) && c.onmessage?.({ data }), 1);
    }
    close() {
      open.delete(this);
    }
  };
  t.after(() => (globalThis.BroadcastChannel = undefined));
  return open;
}

test("two tabs of one visitor share the key and the conversation, and are two senders", async (t) => {
  const w = world(t);
  channels(t);
  const one = person(w, "visitor");
  const two = person(w, "visitor");
  await w.clock.run(200);
  one.session.send("from one");
  two.session.send("from two");
  await w.clock.run(200);
  assert.equal(one.session.conversation, two.session.conversation);
  assert.deepEqual(one.texts().sort(), ["from one", "from two"]);
  assert.deepEqual(two.texts().sort(), ["from one", "from two"]);
  assert.equal(new Set(one.of("message").map((m) => m.s)).size, 2);
});

test("a duplicated tab, which copied sessionStorage, becomes another sender, and does not send the copy of the outbox", async (t) => {
  const w = world(t);
  channels(t);
  const one = person(w, "visitor");
  await w.clock.run(200);
  one.session.send("first");
  await w.clock.run(100);
  w.primary.linked = false;
  one.session.send("waits");
  await w.clock.run(100);
  const two = person(w, "visitor", { storage: new Store(one.storage) });
  two.session.send("second"); // before it is known who this tab is
  await w.clock.run(500);
  w.primary.linked = true;
  w.primary.catchUp();
  await w.clock.run(500);
  for (const tab of [one, two]) assert.deepEqual(tab.texts().sort(), ["first", "second", "waits"]);
  const by = Object.fromEntries(two.of("message").map((m) => [m.text, m.s]));
  assert.equal(by.first, by.waits);
  assert.notEqual(by.first, by.second);
});

test("a reload keeps the sender, for the old page answers no more", async (t) => {
  const w = world(t);
  const open = channels(t);
  const one = person(w, "visitor");
  await w.clock.run(200);
  one.session.send("before");
  await w.clock.run(100);
  one.session.close();
  assert.equal(open.size, 0);
  const again = person(w, "visitor", { storage: one.storage });
  await w.clock.run(200);
  again.session.send("after");
  await w.clock.run(100);
  assert.deepEqual(again.of("message").map((m) => [m.text, m.n]), [["before", 1], ["after", 2]]);
  assert.equal(new Set(again.of("message").map((m) => m.s)).size, 1);
});

test("the channel is closed while the page is hidden away, and answers again after", async (t) => {
  const w = world(t);
  const open = channels(t);
  const one = person(w, "visitor");
  await w.clock.run(200);
  assert.equal(open.size, 1);
  w.page.dispatchEvent(new Event("pagehide"));
  assert.equal(open.size, 0);
  w.page.dispatchEvent(new Event("pageshow"));
  assert.equal(open.size, 1);
  const two = person(w, "visitor", { storage: new Store(one.storage) });
  await w.clock.run(200);
  one.session.send("a");
  two.session.send("b");
  await w.clock.run(100);
  assert.deepEqual(one.texts().sort(), ["a", "b"]);
});

test("without storage or BroadcastChannel a chat works, in memory", async (t) => {
  const w = world(t);
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, get: () => { throw new DOMException("no", "SecurityError"); } });
  Object.defineProperty(globalThis, "localStorage", { configurable: true, get: () => { throw new DOMException("no", "SecurityError"); } });
  const { ChatSession } = await import("../src/index.js");
  const session = new ChatSession(w.options({ role: "visitor" }));
  const safe = session.send("hello");
  await w.clock.run(200);
  assert.equal((await safe).text, "hello");
});

test("who was frozen while its tab was duplicated numbers after the other: nothing is lost", async (t) => {
  const w = world(t);
  const one = person(w, "visitor");
  await w.clock.run(200);
  one.session.send("first");
  await w.clock.run(100);
  const two = person(w, "visitor", { storage: new Store(one.storage) }); // nobody answers: there is no channel
  await w.clock.run(200);
  for (const [tab, text] of [[one, "a"], [two, "b"], [one, "c"]]) {
    tab.session.send(text);
    await w.clock.run(100);
  }
  for (const tab of [one, two]) assert.deepEqual(tab.texts(), ["first", "a", "b", "c"]);
});

for (const bfcache of [false, true]) {
  test(`one number for two texts, ${bfcache ? "back from the back/forward cache" : "at the same moment"}: who comes second takes the next number, and neither is lost`, async (t) => {
    const w = world(t);
    const one = person(w, "visitor");
    const operator = person(w, "operator");
    await w.clock.run(200);
    one.session.send("first");
    await w.clock.run(100);
    const two = person(w, "visitor", { storage: new Store(one.storage) }); // nobody answers: there is no channel
    await w.clock.run(200);
    if (bfcache) for (const s of [...w.primary.sockets].slice(0, 1)) s.peer.closed();
    const safe = [two.session.send("b")];
    if (bfcache) await w.clock.run(100);
    safe.push(one.session.send("a"), one.session.send("c"));
    if (bfcache) for (const s of [...w.primary.sockets].slice(0, 1)) s.closed(1006);
    await w.clock.run(500);
    assert.deepEqual((await Promise.all(safe)).map((m) => m.text), ["b", "a", "c"]);
    const all = ["a", "b", "c", "first"];
    for (const p of [one, two, operator]) assert.deepEqual(p.session.transcript(one.session.conversation).map((m) => m.text).sort(), all);
    assert.deepEqual(operator.texts().sort(), all);
    for (const d of [w.primary, w.redundant]) assert.deepEqual([...d.senders(one.session.conversation).values()].flatMap((own) => [...own.values()].map((m) => m.text)).sort(), all);
  });
}

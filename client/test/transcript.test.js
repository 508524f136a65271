import assert from "node:assert/strict";
import { test } from "node:test";
import { createTranscript } from "../src/transcript.js";

const m = (s, n, at = n) => ({ c: "c", s, n, at, from: "visitor", name: "", text: s + n, mark: "safe" });
const texts = (list) => list.map((x) => x.text).join(" ");

test("each message is shown once, a sender's own in order", () => {
  const t = createTranscript();
  assert.equal(texts(t.add(m("a", 1), 0)), "a1");
  assert.equal(texts(t.add(m("a", 1), 0)), "");
  assert.equal(texts(t.add(m("a", 3), 0)), "");
  assert.equal(texts(t.add(m("b", 1), 0)), "b1");
  assert.equal(texts(t.add(m("a", 2), 0)), "a2 a3");
  assert.deepEqual(t.have(), { a: 3, b: 1 });
});

test("behind a gap it waits for 10 s, and then goes on without", () => {
  const t = createTranscript();
  t.add(m("a", 3), 1000);
  t.add(m("a", 5), 2000);
  assert.equal(t.wakes(), 11_000);
  assert.equal(texts(t.due(10_999)), "");
  assert.equal(texts(t.due(11_000)), "a3");
  assert.equal(t.wakes(), 21_000, "the next gap has a time of its own");
  assert.equal(texts(t.due(21_000)), "a5");
  assert.equal(t.wakes(), Infinity);
  assert.deepEqual(t.have(), { a: 0 }, "what was given up is still missing");
  assert.equal(texts(t.add(m("a", 2), 22_000)), "a2", "late rather than never");
  assert.equal(texts(t.add(m("a", 1), 22_000)), "a1");
  assert.equal(texts(t.all()), "a1 a2 a3 a5");
  assert.deepEqual(t.have(), { a: 3 });
});

test("while nobody could send what is missing it waits, and then for 10 s anew", () => {
  const t = createTranscript();
  t.add(m("a", 2), 1000);
  t.add(m("a", 3), 0);
  assert.equal(texts(t.due(0)), "");
  assert.equal(texts(t.due(100_000, true)), "");
  assert.equal(t.wakes(), 110_000);
  assert.equal(texts(t.due(110_000)), "a2 a3");
});

test("the order is by time, then sender, then n; a sender's own always by n", () => {
  const t = createTranscript();
  for (const x of [m("b", 1, 10), m("a", 1, 10), m("a", 2, 30), m("a", 3, 20), m("b", 2, 25)]) t.add(x, 0);
  assert.equal(texts(t.all()), "a1 b1 b2 a2 a3");
  assert.equal(t.latest(), 30);
});

test("of two times for one message the earlier counts", () => {
  const t = createTranscript();
  t.add(m("a", 1, 50), 0);
  t.add(m("a", 1, 40), 0);
  t.add(m("a", 1, 60), 0);
  assert.equal(t.all()[0].at, 40);
});

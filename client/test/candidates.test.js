import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates } from "../src/candidates.js";

const options = {
  url: "wss://name",
  deployments: [
    { id: "a", urls: ["wss://a1", "wss://a2", "wss://a3"] },
    { id: "b", urls: ["wss://b1"] },
  ],
};
const urls = (now) => candidates(options, now).map((c) => c.url.slice(6)).join(" ");

test("the first load goes by the service's name", () => {
  assert.equal(urls({ fresh: true }), "name a1 b1 a2 a3");
});

test("after a failure the name is left out, and later comes last", () => {
  assert.equal(urls({ direct: true }), "a1 b1 a2 a3");
  assert.equal(urls({}), "a1 b1 a2 a3 name");
});

test("deployments take turns; what a Moderator prefers leads", () => {
  assert.equal(urls({ direct: true, first: ["b", "a"] }), "b1 a1 a2 a3");
  assert.equal(urls({ direct: true, first: ["b"] }), "b1 a1 a2 a3");
});

test("those that failed come last, and are not left out", () => {
  assert.equal(urls({ direct: true, first: ["a", "b"], tried: ["a"] }), "b1 a1 a2 a3");
  assert.equal(urls({ direct: true, first: ["b"], tried: ["a", "b"] }), "b1 a1 a2 a3");
});

test("what the page may not use is left out, unless nothing is left", () => {
  assert.equal(urls({ fresh: true, blocked: (u) => u.startsWith("wss://a") }), "name b1");
  assert.equal(urls({ direct: true, blocked: () => true }), "a1 b1 a2 a3");
});

test("an id of the options is never one that a reply invented", () => {
  assert.deepEqual(candidates(options, { first: ["evil"] }).map((c) => c.id), ["a", "b", "a", "a", null]);
});

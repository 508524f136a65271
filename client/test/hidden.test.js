import assert from "node:assert/strict";
import { test } from "node:test";
import { createWatchdog } from "../src/watchdog.js";

test("a hidden page, whose timers are late, asks earlier", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const had = globalThis.document;
  t.after(() => (globalThis.document = had));
  for (const [hidden, after] of [[true, 2500], [false, 5000]]) {
    globalThis.document = /** @type {any} */ ({ hidden });
    let asked = 0;
    const watchdog = createWatchdog(/** @type {any} */ ({ busy: 5000, idle: 20000, ack: 2000 }), () => true, () => asked++, () => {});
    watchdog.heard();
    t.mock.timers.tick(after - 1);
    assert.equal(asked, 0);
    t.mock.timers.tick(1);
    assert.equal(asked, 1);
    watchdog.stop();
  }
});

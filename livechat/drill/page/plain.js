// A page of the drills that does not chat: it has a FailoverSocket, and fetches with failoverFetch.

import { FailoverSocket, failoverFetch } from "/livens-client.mjs";

const options = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const tell = (kind, more) => globalThis.drillTell(JSON.stringify({ kind, at: performance.timeOrigin + performance.now(), ...more }));
const socket = new FailoverSocket(options);
socket.addEventListener("open", () => tell("ready", {}));
socket.addEventListener("close", ({ code }) => tell("closed", { code }));
socket.addEventListener("message", ({ data }) => tell("got", { text: data }));
socket.addEventListener("switch", ({ detail }) => tell("switch", { detail }));

globalThis.drill = {
  say: (text) => socket.send(text),
  fetch: async (path) => (await failoverFetch(options, path)).text(),
};

// The same without ChatSession, for pages that bring their own protocol.
export { failoverFetch } from "./fetch.js";
export { FailoverSocket } from "./socket.js";

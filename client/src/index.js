export { failoverFetch } from "./fetch.js";
export { FailoverSocket } from "./socket.js";
export { ChatSession } from "./dialect/chat.js";

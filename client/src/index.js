export { ChatSession } from "./dialect/chat.js";
export { failoverFetch } from "./fetch.js";
export { FailoverSocket } from "./socket.js";

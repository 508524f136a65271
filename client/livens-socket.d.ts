// The types of livens-client/socket: the package without ChatSession.
export { FailoverSocket, failoverFetch } from "./livens-client.js";
export type { Deployment, Dialect, LineEvents, Options, SocketEvents, State, Switch, Timing } from "./livens-client.js";

/** Where one deployment of the service can be reached. */
export interface Deployment {
  /** Its name in the pool, such as "primary". A Moderator selects by it. */
  id: string;
  /** WebSocket URLs, best first: its own name, a name in a second DNS zone, its IP address last. */
  urls: string[];
}

/** What a page is configured with. No reply from anywhere adds to it. */
export interface Options {
  /** The pool's name at the Moderators. */
  pool: string;
  /** The service by its DNS name. It is tried first on the first load; after a failure direct URLs only, for 120 s. */
  url: string;
  /** All deployments, the preferred first. */
  deployments: Deployment[];
  /** Origins of nameservers that serve /v1/pools, such as "https://ns1.example.com". May be empty. */
  moderators?: string[];
  /** Times in milliseconds that differ from the defaults. For tests and unusual networks. */
  timing?: Partial<Timing>;
}

/** All times in milliseconds; the defaults stand beside them. */
export interface Timing {
  connect: number;     // 4000: from connect to open
  welcome: number;     // 4000: from open to ready
  ack: number;         // 2000: from send to a first acknowledgement
  busy: number;        // 5000: heartbeat with an open chat
  idle: number;        // 20000: heartbeat without
  stagger: number;     // 1000: until the next deployment is tried beside
  hedge: number;       // 300: until the next Moderator is asked beside
  moderator: number;   // 2000: until a Moderator counts as silent
  direct: number;      // 120000: direct URLs only, after a failure
  notice: number;      // 3000: until the page is told "we are reconnecting"
}

export type State = "connecting" | "live" | "reconnecting" | "closed";

/** detail of a `switch` event. */
export interface Switch { from: string | null; to: string; reason: string; gap: number; resent: number; replayed: number; planned: boolean }

/** The events of both, besides which FailoverSocket has those of a WebSocket. */
export interface LineEvents {
  state: CustomEvent<State>;
  switch: CustomEvent<Switch>;
  /** A URL that this page's Content-Security-Policy forbids (why: "csp"). */
  blocked: CustomEvent<{ url: string; why: string }>;
  /** Only after `notice`; since: milliseconds since 1970. */
  reconnecting: CustomEvent<{ since: number }>;
}

export interface SocketEvents extends LineEvents {
  open: Event;
  message: MessageEvent;
  close: CloseEvent;
  error: Event;
}

export interface ChatEvents extends LineEvents {
  message: CustomEvent<Message>;
  mark: CustomEvent<Message>;
  typing: CustomEvent<{ c: string; from: "visitor" | "operator" }>;
  presence: CustomEvent<{ operators: number }>;
  end: CustomEvent<{ c: string }>;
  drop: CustomEvent<{ why: string; message?: Message }>;
}

type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };

/**
 * A WebSocket that goes on when its deployment does not: `open` fires once, `message`, `close` and `error` as a WebSocket's, and besides
 * CustomEvents `state` (detail: State), `switch` (Switch), `blocked` ({url, why}: a URL that this page's CSP forbids, not dead),
 * `reconnecting` ({since}, only after `notice`).
 */
export class FailoverSocket extends EventTarget {
  constructor(options: Options, protocols?: string | string[], dialect?: Dialect);
  addEventListener<K extends keyof SocketEvents>(type: K, listener: Listener<SocketEvents[K]>, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSING: 2;
  static readonly CLOSED: 3;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly readyState: 0 | 1 | 2 | 3;
  readonly state: State;
  /** The id of the deployment in use; null before the first and while reconnecting. */
  readonly deployment: string | null;
  readonly url: string;
  readonly protocol: string;
  readonly bufferedAmount: number;
  binaryType: BinaryType;
  /** @throws InvalidStateError before the first `open`. While reconnecting what is sent is kept, up to 64 KiB; beyond that it throws QuotaExceededError. */
  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void;
  close(code?: number, reason?: string): void;
  /** Asks whether the deployment is alive, now, and while reconnecting tries now. Called by itself on wake, online and pageshow. */
  probe(): void;
  onopen: ((e: Event) => void) | null;
  onmessage: ((e: MessageEvent) => void) | null;
  onclose: ((e: CloseEvent) => void) | null;
  onerror: ((e: Event) => void) | null;
}

/** How an application protocol takes part: what makes a connection ready, what is a heartbeat. ChatSession has one. */
export interface Dialect {
  /** Sent first on every new connection. */
  hello(context: { tried: string[]; epoch: number }): string;
  /** Whether this frame makes the connection ready; the deployment's id, if the frame tells. Frames up to it are not shown. */
  ready(data: string): boolean | string;
  /** A heartbeat with a number; any frame in return counts as life. */
  ping(n: number): string;
  /** What this frame says when it asks to go to another deployment, or null. Such frames are not shown. */
  move?(data: string): { to: string; reason: string; epoch: number; spread?: number } | null;
}

/**
 * fetch that goes by the service's name, then to the active deployment and the others, each at its own origin, one after the other with `connect` each;
 * for `direct` after a failure by direct URLs only, those that failed last. Only for requests that may be repeated.
 */
export function failoverFetch(options: Options, path: string, init?: RequestInit): Promise<Response>;

export interface Message {
  c: string; s: string; n: number;
  from: "visitor" | "operator";
  name: string;
  at: number;
  text: string;
  /** sending: not at any deployment; disk; safe: survives the loss of a data center; delivered: the other party's client has it. */
  mark: "sending" | "disk" | "safe" | "delivered";
}

export interface ChatOptions extends Options {
  role: "visitor" | "operator";
  /** What the other party reads. */
  name?: string;
  /** An operator's, without which it is a TypeError. */
  token?: string;
  /** A visitor's secret of 22 to 64 characters of A–Z a–z 0–9 _ - (a shorter one is a TypeError); by default drawn once and kept in localStorage. */
  key?: string;
  /** Where the unsent is kept over a reload; by default sessionStorage. */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
}

/**
 * A chat as visitor or operator. CustomEvents: `message` (Message, once each and in order), `mark` (Message), `typing` ({c, from}), `presence`
 * ({operators}), `end` ({c}), and those of FailoverSocket; `drop` ({why, message?}) when something can not be delivered: it is never silent.
 */
export class ChatSession extends EventTarget {
  constructor(options: ChatOptions);
  addEventListener<K extends keyof ChatEvents>(type: K, listener: Listener<ChatEvents[K]>, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  readonly state: State;
  readonly deployment: string | null;
  readonly operators: number;
  /** A visitor's conversation; null before the first welcome. */
  readonly conversation: string | null;
  /** Ids of all conversations held, the one with the latest message first. */
  conversations(): string[];
  /** Copies, in order. */
  transcript(conversation?: string): Message[];
  /**
   * Resolves once the message is safe. Rejects with QuotaExceededError when the outbox is full (100 messages or 256 KiB), TypeError when the text
   * is empty or over 8 KiB, AbortError when the session is closed first.
   */
  send(text: string, conversation?: string): Promise<Message>;
  typing(conversation?: string): void;
  /** Closes a conversation. Only an operator may: a visitor's throws TypeError, and changes nothing. It is repeated after a switch until a deployment has told it (`end`), unless one writes there again. */
  end(conversation: string): void;
  /** How many messages wait to become safe. */
  readonly pending: number;
  close(): void;
}

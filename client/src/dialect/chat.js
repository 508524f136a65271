import { custom } from "../events.js";
import { createTalk } from "./talk.js";

/** A chat as visitor or operator. Its members are described in livens-client.d.ts. */
export class ChatSession extends EventTarget {
  #talk;

  /**
   * @param {import("../../livens-client").ChatOptions} options
   * @throws {TypeError} when the options are wrong
   */
  constructor(options) {
    super();
    this.#talk = createTalk(options, (type, detail) => this.dispatchEvent(custom(type, detail)));
  }

  get state() {
    return this.#talk.line.state;
  }
  get deployment() {
    return this.#talk.line.active?.id ?? null;
  }
  get operators() {
    return this.#talk.operators();
  }
  get conversation() {
    return this.#talk.outbox.c || null;
  }
  get pending() {
    return this.#talk.outbox.entries.length;
  }

  /** @returns {string[]} ids of all conversations held, the one with the latest message first */
  conversations() {
    return this.#talk.conversations();
  }

  /** @param {string} [conversation] @returns {import("../../livens-client").Message[]} copies, in order */
  transcript(conversation) {
    return this.#talk.transcript(conversation);
  }

  /**
   * @param {string} text
   * @param {string} [conversation] an operator names it
   * @returns {Promise<import("../../livens-client").Message>} once the message is safe; see the .d.ts for how it rejects
   */
  send(text, conversation) {
    return this.#talk.send(text, conversation);
  }

  /** Tells the other party that somebody is writing. @param {string} [conversation] */
  typing(conversation) {
    this.#talk.typing(conversation);
  }

  /** Closes a conversation, as an operator. @param {string} conversation */
  end(conversation) {
    this.#talk.end(conversation);
  }

  /** Ends the session. What is not safe yet is rejected. */
  close() {
    this.#talk.close();
  }
}

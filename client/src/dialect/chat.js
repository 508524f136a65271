import { custom, expose } from "../events.js";
import { createTalk } from "./talk.js";

/** A chat as visitor or operator. Its members are described in livens-client.d.ts. */
export class ChatSession extends EventTarget {
  /**
   * @param {import("../../livens-client").ChatOptions} options
   * @throws {TypeError} when the options are wrong
   */
  constructor(options) {
    super();
    expose(this, createTalk(options, (type, detail) => this.dispatchEvent(custom(type, detail))));
  }
}

/** @param {string} type @param {any} detail @returns {any} a CustomEvent, also where there is none (Node 18) */
export function custom(type, detail) {
  return new CustomEvent(type, { detail });
}

/** @param {string} name @param {string} text @returns {Error} what browsers throw under this name */
export function failure(name, text) {
  return new DOMException("livens: " + text, name);
}

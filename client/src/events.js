/** @param {string} type @param {any} detail @returns {CustomEvent} */
export const custom = (type, detail) => new CustomEvent(type, { detail });

/** @param {string} name @param {string} text @returns {Error} what browsers throw under this name */
export const failure = (name, text) => new DOMException("livens: " + text, name);

/** @template T @param {() => T} f @returns {T | undefined} what it gives; nothing when it throws */
export const attempt = (f) => {
  try {
    return f();
  } catch {}
};

/** @param {any} text @returns {number} how long it is in UTF-8 */
export const bytes = (text) => new TextEncoder().encode(text).length;

/**
 * Listens to the window, capturing: so it hears what happens to the document, too, also what does not bubble.
 * @param {Record<string, (event: any) => void>} listeners by type
 * @returns {() => void} ends it
 */
export const listen = (listeners) => {
  for (const type in listeners) addEventListener(type, listeners[type], true);
  return () => {
    for (const type in listeners) removeEventListener(type, listeners[type], true);
  };
};

/**
 * Gives an object the methods and accessors of another, which so keeps its state to itself.
 * @param {object} target @param {object} api
 */
export const expose = (target, api) => Object.defineProperties(target, Object.getOwnPropertyDescriptors(api));

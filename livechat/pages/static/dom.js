// The pages build what they show here and nowhere else: children that are strings become text, so that no message is ever
// taken for markup. The Content-Security-Policy (Trusted Types) makes the browser refuse every other way.

/**
 * An element. Properties that start with "on" are listeners; true is an attribute without a value; false, null and undefined
 * leave the attribute out.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** A picture of 24 × 24 units, drawn with a pen. It says nothing to a screen reader: whatever it stands in has a label. */
export function icon(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const icons = {
  chat: "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5z M8 8.6h8 M8 11.7h5",
  close: "M6 6l12 12 M18 6L6 18",
  send: "M4.5 12h14 M12.5 5.5l6.5 6.5-6.5 6.5",
  down: "M12 5v14 M6 13l6 6 6-6",
};

/**
 * Makes these elements the children of a list. Only what is not in its place is moved: a screen reader speaks what is moved in
 * a live region, and a button that is moved loses the focus and the click that has begun on it.
 */
export function place(list, wanted) {
  const stay = new Set(wanted);
  for (const child of [...list.children]) if (!stay.has(child)) child.remove();
  let here = list.firstElementChild;
  for (const element of wanted) {
    if (element === here) here = here.nextElementSibling;
    else list.insertBefore(element, here);
  }
}

/** A function that calls the given one once for all calls that are waiting. It is not slowed down on a hidden page, as a timer is. */
export function soon(act) {
  const { port1, port2 } = new MessageChannel();
  let waiting = false;
  port1.onmessage = () => { waiting = false; act(); };
  return () => {
    if (!waiting) port2.postMessage(null);
    waiting = true;
  };
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** The time of day: "14:05". */
export const timeOf = (at) => clock.format(at);

/** "Today", "Yesterday" or the date. */
export function dayOf(at, now = Date.now()) {
  const date = new Date(at).toDateString();
  if (date === new Date(now).toDateString()) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  return date === yesterday.toDateString() ? "Yesterday" : day.format(at);
}

/** How long ago, short: "now", "4 min", "3 h", "2 d". */
export function ago(at, now = Date.now()) {
  const minutes = Math.floor((now - at) / 60000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

const title = document.title;

/** Puts the number of unread messages before the page's title; 0 takes it away. */
export function countInTitle(unread) {
  document.title = unread ? `(${unread}) ${title}` : title;
}

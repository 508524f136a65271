// What livens says, as somebody reads it who watches: by one clock, their own, and with what is to come counted down.

const instant = String.raw`(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC`;
const told = (day, time) => new Date(`${day}T${time}Z`);
const clock = (at) => at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** Words with their times on this clock. */
function here(words) {
  return words.replace(new RegExp(instant, "g"), (_, day, time) => clock(told(day, time)));
}

/** Words on what time will change, and in how many seconds. Their times have whole seconds, so it may be due a moment later. */
function ahead(words) {
  return here(words.replace(new RegExp(` at ${instant}`, "g"), (_, day, time) => ` in ${Math.max(1, Math.ceil((told(day, time) - Date.now()) / 1000))} s`));
}

/** A switch in few words. One that ends where it began: the same deployment was chosen again, for another reason. */
function route({ from, to }) {
  return from === to ? `stays on ${to}` : `${from || "start"} → ${to}`;
}

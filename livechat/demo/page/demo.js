// Draws /state four times a second, and presses the buttons. Cards are made once and then only filled, so that a button
// that is about to be pressed stays where it is.

const $ = (id) => document.getElementById(id);

/** An element with text or children. */
function h(name, attributes = {}, ...inside) {
  const element = Object.assign(document.createElement(name), attributes);
  element.append(...inside);
  return element;
}

function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

const cards = new Map();

/** The card of somebody, with its buttons: [what it does, word]. */
function card(where, who, site, buttons) {
  if (cards.has(who)) return cards.get(who);
  const c = {
    badge: h("span", { className: "badge" }), what: h("p", { className: "what" }),
    votes: h("ul", { className: "votes", ariaLabel: "votes" }), error: h("p", { className: "error", hidden: true }), buttons: {},
  };
  for (const [what, word, title] of buttons) {
    c.buttons[what] = h("button", { type: "button", textContent: word, title, className: what, onclick: () => act(c, who, what) });
    c.buttons[what].dataset.do = what;
  }
  c.element = h("article", { className: "card" }, h("h3", {}, who, h("small", { textContent: site }), c.badge), c.what, c.votes,
    c.error, h("div", { className: "buttons" }, ...Object.values(c.buttons)));
  c.element.dataset.who = who;
  $(where).append(c.element);
  cards.set(who, c);
  return c;
}

async function act(c, who, what) {
  const reply = await fetch("/act", { method: "POST", body: new URLSearchParams({ who, do: what }) }).catch(() => null);
  c.error.hidden = reply?.ok ?? true;
  if (reply && !reply.ok) text(c.error, await reply.text());
  await look();
}

const faults = [
  ["kill", "Kill", "kill -9: its kernel closes every connection"],
  ["stop", "Stop", "SIGSTOP: connections are accepted, and nobody answers"],
  ["cut", "Black-hole", "what browsers, resolvers and probes send to it, and what it answers, is swallowed; what it begins itself goes out, as behind a wrong firewall rule"],
  ["revive", "Revive", "whatever makes it whole again"],
];

function enable(c, condition) {
  c.buttons.kill.disabled = condition === "killed";
  c.buttons.stop.disabled = condition !== "running";
  c.buttons.cut.disabled = condition !== "running";
  c.buttons.revive.hidden = condition === "running";
}

function badge(c, words, kind) {
  text(c.badge, words);
  c.badge.className = "badge " + kind;
  c.element.classList.toggle("out", kind === "out");
}

function drawDeployment(d, preferred) {
  const c = card("deployments", d.name, d.site, [...faults, ["move", "Move everybody here", "a planned switch, as livens failover makes it"],
    ["free", "Give back", "ends the planned switch, as livens failback does"]]);
  c.element.classList.toggle("live", d.active);
  if (d.condition !== "running") badge(c, d.condition, "out");
  else badge(c, d.active ? "live" : "standby", d.active ? "live" : "");
  text(c.what, `${d.state || "not known yet"}${d.reason ? ": " + d.reason : ""}${!d.active && d.gate && d.gate !== "open" ? `. Sync gate: ${d.gate}` : ""}`);
  c.votes.replaceChildren(...(d.votes ?? []).map((v) => h("li", { className: v.doubt ? "doubt" : v.state, textContent: `${v.nameserver} ${v.state}${v.doubt ? "?" : ""}` })));
  enable(c, d.condition);
  c.buttons.move.hidden = d.active || preferred;
  c.buttons.free.hidden = d.active || !preferred;
  c.buttons.move.disabled = c.buttons.free.disabled = d.condition !== "running";
}

function drawNameserver(n) {
  const c = card("nameservers", n.name, n.site, faults);
  if (n.condition !== "running") badge(c, n.condition, "out");
  else badge(c, n.quorum ? `hears ${n.reach} of ${n.size}` : `hears ${n.reach} of ${n.size}: too few`, "");
  c.what.replaceChildren(...(n.answers ? ["answers ", h("b", { textContent: n.answers }), `, TTL ${n.ttl}, epoch ${n.epoch || "not known"}`]
    : ["does not answer"]));
  enable(c, n.condition);
}

function drawSwitches(list) {
  const of = (s) => s.at + s.to;
  const shown = list.map(of).join();
  if ($("switches").dataset.shown === shown) return;
  $("switches").dataset.shown = shown;
  $("switches").replaceChildren(...list.map((s) => h("li", {}, h("time", { textContent: new Date(s.at).toLocaleTimeString() }),
    ` ${s.from || "start"} → ${s.to}`, h("p", { textContent: s.reason }))));
}

function frame(name, url) {
  const inside = document.querySelector(`iframe[data-of=${name}]`);
  if (inside.dataset.url === url) return;
  inside.dataset.url = inside.src = $(name).href = url;
}

async function look() {
  const reply = await fetch("/state").catch(() => null);
  $("lost").hidden = !!reply?.ok;
  if (!reply?.ok) return;
  const state = await reply.json();
  if (!state.deployments) return;
  state.deployments.forEach((d, i) => drawDeployment(d, i === 0));
  state.nameservers.forEach(drawNameserver);
  if (state.why) text($("why"), state.why);
  text($("pending"), state.pending ?? "");
  if (state.switches?.length) drawSwitches(state.switches);
  frame("shop", state.shop);
  frame("operator", state.operator);
}

(async function draw() {
  await look();
  setTimeout(draw, 250);
})();

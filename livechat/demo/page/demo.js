// Draws /state four times a second, and presses the buttons. Cards are made once and then only filled, and a button that can
// not be pressed stays where it is, so that nothing moves under a hand or an eye.

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

/** What is cut off where there is no room for it is in the title. */
function brief(element, words) {
  text(element, words);
  element.title = words;
}

const faults = [
  ["kill", "Kill", "kill -9: its kernel closes every connection"],
  ["stop", "Stop", "SIGSTOP: connections are accepted, and nobody answers"],
  ["cut", "Black-hole", "what browsers, resolvers and probes send to it, and what it answers, is swallowed; what it begins itself goes out, as behind a wrong firewall rule"],
  ["revive", "Revive", "whatever makes it whole again"],
];

const cards = new Map();

/** The card of somebody, with buttons for faults, and one for what is planned: [what it does, word, title]. */
function card(where, who, site, planned) {
  if (cards.has(who)) return cards.get(who);
  const c = { badge: h("span", { className: "badge" }), what: h("p", { className: "what" }), error: h("p", { className: "error", role: "alert", hidden: true }), buttons: {} };
  const button = ([what, word, title]) => {
    c.buttons[what] = h("button", { type: "button", textContent: word, title, className: what, onclick: () => act(c, who, what) });
    return c.buttons[what];
  };
  c.element = h("article", { className: "card" }, h("h3", {}, who, h("small", { textContent: site }), c.badge), c.what, h("div", { className: "buttons" }, ...faults.map(button)));
  if (planned) {
    c.votes = h("ul", { className: "votes", ariaLabel: "votes" });
    c.element.append(h("div", { className: "last" }, c.votes, button(planned)));
  }
  c.element.append(c.error);
  c.element.dataset.who = who;
  $(where).append(c.element);
  cards.set(who, c);
  return c;
}

async function act(c, who, what) {
  const reply = await fetch("/act", { method: "POST", body: new URLSearchParams({ who, do: what }) }).catch(() => null);
  c.error.hidden = reply?.ok ?? true;
  if (reply && !reply.ok) {
    text(c.error, here(await reply.text()));
    clearTimeout(c.hiding); // it lies over the chat
    c.hiding = setTimeout(() => c.error.hidden = true, 8000);
  }
  await look();
}

function enable(c, condition) {
  c.buttons.kill.disabled = condition === "killed";
  c.buttons.stop.disabled = c.buttons.cut.disabled = condition !== "running";
  c.buttons.revive.disabled = condition === "running";
}

function badge(c, words, kind, title = "") {
  text(c.badge, words);
  c.badge.className = "badge " + kind;
  c.badge.title = title;
  c.element.classList.toggle("out", kind === "out");
}

function drawDeployment(d, preferred) {
  const c = card("deployments", d.name, d.site, preferred ? ["free", "Return traffic", `returns traffic to ${d.name} now, as livens failback does`]
    : ["move", "Move all here", "a planned switch, as livens failover makes it"]);
  const words = d.condition !== "running" ? d.condition : d.active ? "live" : "standby";
  const kind = d.condition !== "running" ? "out" : d.active ? "live" : "";
  c.element.classList.toggle("live", d.active);
  badge(c, words, kind);
  brief(c.what, here(`${d.state || "not known yet"}${d.reason ? ": " + d.reason : ""}${!d.active && d.gate && d.gate !== "open" ? `. Sync gate: ${d.gate}` : ""}`));
  c.votes.replaceChildren(...(d.votes ?? []).map((v) => h("li", { className: v.doubt ? "doubt" : v.state, textContent: `${v.nameserver} ${v.state}${v.doubt ? "?" : ""}` })));
  enable(c, d.condition);
  (c.buttons.move ?? c.buttons.free).disabled = d.active || d.condition !== "running";
  drawShort(c, d.name, words, kind);
}

/** The deployment in the bar that stays in sight where the cards do not. */
function drawShort(c, who, words, kind) {
  if (!c.short) {
    // A second tap of a hasty finger shall not undo the first.
    const press = (event) => event.detail < 2 && act(c, who, c.buttons.revive.disabled ? "kill" : "revive");
    c.short = { badge: h("span"), button: h("button", { type: "button", onclick: press }) };
    $("bar").append(h("div", {}, h("strong", { textContent: who }), c.short.badge, c.short.button));
  }
  text(c.short.badge, words);
  c.short.badge.className = "badge " + kind;
  text(c.short.button, c.buttons.revive.disabled ? "Kill" : "Revive");
  c.short.button.ariaLabel = `${c.short.button.textContent} ${who}`;
  c.short.button.className = c.buttons.revive.disabled ? "kill" : "revive";
}

function drawNameserver(n) {
  const c = card("nameservers", n.name, n.site);
  if (n.condition !== "running") badge(c, n.condition, "out");
  else badge(c, `hears ${n.reach}/${n.size}`, n.quorum ? "" : "few", `hears ${n.reach} of ${n.size} nameservers, itself among them${n.quorum ? "" : ": too few to agree on anything"}`);
  brief(c.what, n.answers ? `answers ${n.answers}, TTL ${n.ttl}\nepoch ${n.epoch || "not known"}` : "does not answer");
  enable(c, n.condition);
}

function drawSwitches(list) {
  const shown = list.map((s) => s.at + s.to).join();
  if ($("switches").dataset.shown === shown) return;
  $("switches").dataset.shown = shown;
  $("switches").replaceChildren(...list.map((s) => h("li", {}, h("time", { textContent: clock(new Date(s.at)), dateTime: s.at }), ` ${route(s)}`,
    h("p", { textContent: here(s.reason) }))));
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
  if (state.why) text($("why"), here(state.why));
  text($("pending"), ahead(state.pending ?? ""));
  if (state.switches?.length) drawSwitches(state.switches);
  frame("shop", state.shop);
  frame("operator", state.operator);
}

(async function draw() {
  await look();
  setTimeout(draw, 250);
})();

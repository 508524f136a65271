import { h, countInTitle, timeOf } from "./dom.js";
import { Inbox, nameOf, summarise } from "./inbox.js";
import { Room } from "./room.js";

const $ = (selector) => document.querySelector(selector);
const login = $("#login"), line = $("footer.line"), problem = $("#login .problem"), enter = $("[data-testid=operator-login]");

let session = null;
let wasLive = false;
let filter = "all";
const seen = JSON.parse(sessionStorage.getItem("operator-seen") ?? "{}"); // conversation → when its latest message was written that was on the screen
const ended = {}; // conversation → when its latest message was written, when it was ended
const typing = {}; // conversation → the timer that ends "is typing"

const inbox = new Inbox(choose);
const room = new Room($("#room"), {
  send: (text, conversation) => { const safe = session.send(text, conversation); draw(); return safe; },
  typing: (conversation) => session.typing(conversation),
  end: (conversation) => session.end(conversation),
  back: () => { document.body.dataset.view = "list"; inbox.focus(); },
});
$("nav").append(inbox.element);

// Signing in and out

function begin(token, name) {
  session?.close();
  wasLive = false;
  enter.disabled = true;
  const options = JSON.parse($("#client").textContent);
  const mine = session = new livens.ChatSession({ ...options, role: "operator", token, name });
  const on = (type, act) => mine.addEventListener(type, (event) => mine === session && act(event.detail));
  on("state", state);
  for (const type of ["message", "mark"]) on(type, draw);
  on("message", ({ c, from }) => from === "visitor" && quiet(c));
  on("typing", ({ c, from }) => from === "visitor" && writes(c));
  on("end", ({ c }) => over(c));
  on("presence", state);
  on("switch", switched);
  on("reconnecting", () => { tell("reconnecting since", timeOf(Date.now())); say("The chat can not be reached; still trying."); });
  on("drop", ({ why, message }) => undelivered(why, message));
  on("blocked", ({ url, why }) => console.warn(`operator: ${url} is blocked on this page: ${why}`));
  state();
}

function state() {
  line.dataset.state = session.state;
  line.dataset.deployment = session.deployment ?? "";
  if (session.state === "closed") return out(wasLive ? "The chat has signed you out. Please sign in again." : "The chat does not accept this token.");
  if (session.state === "live") {
    wasLive = true;
    say("");
    login.hidden = true;
    $("#console").hidden = false;
    tell(`live on ${session.deployment}`, session.operators > 1 ? `${session.operators} operators here` : "");
    draw();
  } else tell(session.state === "reconnecting" ? "changing over" : "connecting");
}

function out(words) {
  const closing = session;
  session = null;
  if (closing?.state !== "closed") closing?.close();
  sessionStorage.removeItem("operator-token");
  enter.disabled = false;
  $("#console").hidden = true;
  login.hidden = false;
  countInTitle(0);
  say(words);
  $("#token").focus();
}

function say(words) {
  problem.textContent = words;
  problem.hidden = !words;
}

$("#login form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("#who").value.trim(), token = $("#token").value.trim();
  localStorage.setItem("operator-name", name);
  sessionStorage.setItem("operator-token", token);
  say("");
  begin(token, name);
});
$("#leave").addEventListener("click", () => out(""));

// The status line

let latest = "";

function tell(now, more = "") {
  line.replaceChildren(h("span", { class: "dot" }), h("strong", {}, now), more ? ` ${more}` : "", latest ? h("span", { class: "latest" }, latest) : "");
}

function switched({ from, to, gap, planned, reason, resent }) {
  Object.assign(line.dataset, { gap, reason, planned, switches: Number(line.dataset.switches) + 1 });
  const how = planned && !gap ? "planned, no gap" : `${Math.round(gap)} ms${resent ? `, ${resent} sent again` : ""}`;
  latest = `last switch ${timeOf(Date.now())}: ${from ?? "none"} → ${to}, ${how}`;
  line.title = reason ?? "";
  state();
}

// Conversations

function entries() {
  return session.conversations().map((id) => {
    const messages = session.transcript(id);
    return { id, name: nameOf(id, messages), messages, summary: summarise(messages, seen[id], ended[id]), typing: id in typing };
  });
}

function draw() {
  if (!session) return;
  const here = entries().find(({ id }) => id === room.conversation);
  if (here?.messages.length && !document.hidden && onScreen()) {
    seen[here.id] = here.messages.at(-1).at;
    sessionStorage.setItem("operator-seen", JSON.stringify(seen));
  }
  const all = entries();
  const waiting = all.filter(({ summary }) => summary.waiting);
  inbox.render(filter === "all" ? all : waiting, room.conversation, all.length ? "Nobody is waiting." : "No conversations yet. They appear here by themselves.");
  const now = all.find(({ id }) => id === room.conversation);
  if (now) room.render(now, now.messages);
  $("[data-filter=all] span").textContent = all.length;
  $("[data-filter=waiting] span").textContent = waiting.length;
  const unread = all.reduce((sum, { summary }) => sum + summary.unread, 0);
  countInTitle(unread);
  $("link[rel=icon]").href = unread ? "/favicon-unread.svg" : "/favicon.svg";
}

/** On a phone the list and the conversation take turns. */
function onScreen() { return document.body.dataset.view === "room" || !matchMedia("(max-width: 720px)").matches; }

function choose(conversation) {
  if (!conversation) return;
  document.body.dataset.view = "room";
  room.open(conversation);
  draw();
  room.transcript.toEnd();
  if (!matchMedia("(pointer: coarse)").matches) room.composer.focus();
}

function over(conversation) {
  ended[conversation] = session.transcript(conversation).at(-1)?.at ?? 0;
  if (conversation === room.conversation) room.transcript.note("This conversation was ended.");
  draw();
}

function undelivered(why, message) {
  if (session.state === "closed") return;
  if (message && message.c === room.conversation) room.transcript.note(`Not delivered: “${message.text}” (${why})`);
  else tell(`not delivered (${why})`, message?.text ?? "");
  draw();
}

function writes(conversation) {
  clearTimeout(typing[conversation]);
  typing[conversation] = setTimeout(() => quiet(conversation), 5000);
  if (conversation === room.conversation) room.transcript.typing(room.name);
  draw();
}

function quiet(conversation) {
  clearTimeout(typing[conversation]);
  delete typing[conversation];
  if (conversation === room.conversation) room.transcript.typing(null);
  draw();
}

for (const button of document.querySelectorAll("[data-filter]")) {
  button.addEventListener("click", () => {
    filter = button.dataset.filter;
    for (const other of document.querySelectorAll("[data-filter]")) other.setAttribute("aria-pressed", String(other === button));
    draw();
  });
}

document.addEventListener("keydown", (event) => {
  if (!session || !wasLive) return;
  if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) choose(inbox.beside(room.conversation, event.key === "ArrowDown" ? 1 : -1));
  else if (event.altKey && event.code.startsWith("Digit")) room.reply(Number(event.code.slice(5)) - 1);
  else if (event.key === "Escape") { document.body.dataset.view = "list"; inbox.focus(); }
  else return;
  event.preventDefault();
});
document.addEventListener("visibilitychange", draw);
setInterval(draw, 30000); // "4 min" becomes "5 min"

$("#who").value = localStorage.getItem("operator-name") ?? "";
const token = sessionStorage.getItem("operator-token");
if (token) begin(token, $("#who").value);

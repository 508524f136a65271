// The operator's console: signing in and out, and the line that says where the chat runs.
import { h, timeOf } from "./dom.js";
import { Desk } from "./desk.js";

const $ = (selector) => document.querySelector(selector);
const login = $("#login"), problem = $("#login .problem"), enter = $("[data-testid=operator-login]"), line = $("footer.line");
const options = JSON.parse($("#client").textContent);
const desk = new Desk();

let session = null;
let accepted = false; // whether a deployment has taken the token
let latest = ""; // the last switch, in words

function begin(token, name) {
  accepted = false;
  enter.disabled = true;
  session = new livens.ChatSession({ ...options, role: "operator", token, name });
  listen(session);
  state();
}

function listen(mine) {
  const on = (type, act) => mine.addEventListener(type, (event) => mine === session && act(event.detail));
  on("state", state);
  on("presence", state);
  on("message", ({ c, from }) => from === "visitor" ? desk.typing(c, false) : desk.changed(c));
  on("mark", ({ c }) => desk.changed(c));
  on("typing", ({ c, from }) => from === "visitor" && desk.typing(c, true));
  on("end", ({ c }) => desk.ended(c));
  on("switch", switched);
  on("reconnecting", () => {
    tell(`reconnecting since ${timeOf(Date.now())}`);
    say("The chat can not be reached; still trying.");
  });
  on("drop", ({ why, message }) => session.state === "closed" || (message ? desk.undelivered(why, message) : tell(why)));
  on("blocked", ({ url, why }) => console.warn(`operator: ${url} is blocked on this page: ${why}`));
}

function state() {
  line.dataset.state = session.state;
  line.dataset.deployment = session.deployment ?? "";
  if (session.state === "closed") return out(accepted ? "The chat has signed you out. Please sign in again." : "The chat does not accept this token.");
  if (session.state !== "live") return tell(session.state === "reconnecting" ? "changing over" : "connecting");
  if (!accepted) show();
  accepted = true;
  tell(`live on ${session.deployment}`, session.operators > 1 ? `, ${session.operators} operators here` : "");
}

function show() {
  say("");
  login.hidden = true;
  $("#console").hidden = false;
  desk.use(session);
}

function out(words) {
  const last = session;
  session = null;
  last?.close();
  desk.use(null);
  sessionStorage.removeItem("operator-token");
  enter.disabled = false;
  $("#console").hidden = true;
  login.hidden = false;
  say(words);
  $("#token").focus();
}

function say(words) {
  problem.textContent = words;
  problem.hidden = !words;
}

function tell(now, more = "") {
  line.replaceChildren(h("span", { class: "dot" }), h("span", {}, h("strong", {}, now), more), latest ? h("span", { class: "latest" }, latest) : "");
}

function switched({ from, to, gap, planned, reason, resent }) {
  Object.assign(line.dataset, { gap, reason, planned, resent, switches: Number(line.dataset.switches) + 1 });
  // The number first: on a phone the line is cut off at its end.
  const how = planned && !gap ? "no gap, planned" : `${Math.round(gap)} ms gap`;
  latest = `${how}, ${from ?? "none"} → ${to}, ${timeOf(Date.now())}${resent ? `, ${resent} sent again` : ""}`;
  line.title = reason ?? "";
  state();
}

$("#login form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("#who").value.trim(), token = $("#token").value.trim();
  localStorage.setItem("operator-name", name);
  sessionStorage.setItem("operator-token", token);
  $("#token").value = "";
  say("");
  begin(token, name);
});

$("#leave").addEventListener("click", () => {
  const waiting = session.pending === 1 ? "1 message has" : `${session.pending} messages have`;
  if (!session.pending || confirm(`${waiting} not been sent yet. Sign out all the same?`)) out("");
});

$("#who").value = localStorage.getItem("operator-name") ?? "";
const token = sessionStorage.getItem("operator-token");
if (token) {
  begin(token, $("#who").value);
  show(); // it was accepted before; if it is not any more, the form comes back
}

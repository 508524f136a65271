// Renews the page in place. When the server no longer replies, what is shown is old, and the page says so.
const renew = async () => {
  try {
    const reply = await fetch(location.href, {cache: "no-store", signal: AbortSignal.timeout(4000)});
    if (!reply.ok) throw new Error(reply.status);
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const was of document.querySelectorAll("details[open]")) fresh.getElementById(was.id)?.setAttribute("open", "");
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
    document.title = fresh.title;
    document.querySelector("#lost").hidden = true;
  } catch (e) {
    const lost = document.querySelector("#lost");
    if (lost.hidden) lost.textContent = "livens has not replied since " + new Date().toLocaleTimeString() + ": what you see is old.";
    lost.hidden = false;
  }
  setTimeout(renew, 2000);
};
setTimeout(renew, 2000);

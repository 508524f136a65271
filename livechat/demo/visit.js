// Opens the chat, as a link on the shop's page does.
const link = document.body.appendChild(Object.assign(document.createElement("a"), { href: "#livens-chat", hidden: true }));
link.click();
link.remove();

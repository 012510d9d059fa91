// What arrived on people's phones, asked for anew each second.
const { lang, texts, faults } = JSON.parse(document.getElementById("data").textContent);
const english = lang === "en";
const t = (key, values = {}) =>
  Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), texts[key]);
const byId = (id) => document.getElementById(id);

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const choices = Object.entries(faults).map(([way, known]) => {
  const buttons = [null, ...known].map((fault) =>
    el("button", { type: "button", class: fault ? "bad" : "", text: t(fault ?? "fine"), "data-fault": fault ?? "", onclick: () => misbehave(way, fault) }));
  byId("providers").append(el("div", { class: "row" }, el("span", { text: t(way) }), el("div", { class: "choice", role: "group", "aria-label": t(way) }, ...buttons)));
  return { way, buttons };
});
let drawn = "";

function bubble(one) {
  const words = [new Date(one.at).toLocaleTimeString(lang)];
  if (one.segments) words.push(t("segments", { n: one.segments }));
  if (one.asked > 1) words.push(t("again", { n: one.asked }));
  const box = el("div", { class: "bubble", "data-id": one.id });
  if (one.title) box.append(el("b", { text: one.title }));
  box.append(one.text);
  if (one.link) box.append("\n", el("a", { href: one.link, text: one.link }));
  return el("div", {}, box, el("small", { text: words.join(" · ") }));
}

function show(state) {
  for (const { way, buttons } of choices)
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.fault === (state.faults[way] ?? "")));
  byId("link").textContent = t("asked", { n: state.arrived.length });
  byId("link").classList.remove("lost");
  byId("none").hidden = state.arrived.length > 0;
  const now = JSON.stringify(state.arrived);
  if (now === drawn) return;
  drawn = now;
  const phones = new Map();
  for (const one of state.arrived) {
    const key = `${one.way} ${one.to}`;
    if (!phones.has(key)) phones.set(key, el("section", { class: "phone" }, el("h2", {}, one.to, el("small", { text: t(one.way) }))));
    const phone = phones.get(key);
    if (one.way === "push" && !phone.querySelector("button")) phone.append(el("button", { type: "button", text: t("uninstall"), onclick: () => uninstall(one.to) }));
    phone.append(bubble(one));
  }
  byId("arrived").replaceChildren(...phones.values());
}

async function look() {
  try {
    show(await (await fetch("state")).json());
  } catch {
    byId("link").textContent = t("lost");
    byId("link").classList.add("lost");
  }
}

async function misbehave(way, fault) {
  await fetch("fault", { method: "POST", body: JSON.stringify({ way, fault }) }).catch(() => undefined);
  await look();
}

async function uninstall(token) {
  await fetch("uninstall", { method: "POST", body: JSON.stringify({ token }) }).catch(() => undefined);
}

for (const id of ["brand", "title", "intro", "bench", "none"]) byId(id).textContent = t(id);
byId("language").textContent = t("other_language");
byId("language").href = english ? "?" : "?lang=en";
byId("bench").href = english ? "/?lang=en" : "/";
await look();
setInterval(look, 1000);

// What arrived on people's phones, asked for anew each second.
import { ask, byId, el, faultButtons, given, lang, pressed, t, told, watch } from "/static/kit.js";

const choices = Object.entries(given.faults).map(([way, known]) => {
  const buttons = faultButtons(known, (fault) => ask("fault", { way, fault }));
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
  for (const { way, buttons } of choices) pressed(buttons, state.faults[way]);
  told(t("asked", { n: state.arrived.length }));
  byId("none").hidden = state.arrived.length > 0;
  const now = JSON.stringify(state.arrived);
  if (now === drawn) return;
  drawn = now;
  const phones = new Map();
  for (const one of state.arrived) {
    const key = `${one.way} ${one.to}`;
    if (!phones.has(key)) phones.set(key, el("section", { class: "phone" }, el("h2", {}, one.to, el("small", { text: t(one.way) }))));
    const phone = phones.get(key);
    if (one.way === "push" && !phone.querySelector("button")) phone.append(el("button", { type: "button", text: t("uninstall"), onclick: () => ask("uninstall", { token: one.to }) }));
    phone.append(bubble(one));
  }
  byId("arrived").replaceChildren(...phones.values());
}

await watch(show);

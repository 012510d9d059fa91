// What the scripts of all simulators' pages are made of: what the page was given, its words, elements, and the state asked
// for anew each second.
export const given = JSON.parse(document.getElementById("data").textContent);
export const { lang, texts } = given;
export const english = lang === "en";
export const byId = (id) => document.getElementById(id);
export const t = (key, values = {}) =>
  Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), texts[key]);

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

// Fine, or one of the faults: a button each. `set` is told which one was pressed, null for fine.
export const faultButtons = (faults, set) => [null, ...faults].map((fault) =>
  el("button", { type: "button", class: fault ? "bad" : "", text: t(fault ?? "fine"), "data-fault": fault ?? "", onclick: () => set(fault) }));

export function pressed(buttons, fault) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.fault === (fault ?? "")));
}

export function told(text, lost = false) {
  byId("link").textContent = text;
  byId("link").classList.toggle("lost", lost);
}

let show = () => undefined;

async function look() {
  try {
    show(await (await fetch("state")).json());
  } catch {
    told(t("lost"), true);
  }
}

export async function ask(path, body = {}) {
  await fetch(path, { method: "POST", body: JSON.stringify(body) }).catch(() => undefined);
  await look();
}

export async function watch(shown) {
  show = shown;
  await look();
  setInterval(look, 1000);
}

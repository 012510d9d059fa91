// The codes on people's phones, asked for anew each second as their seconds run.
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

const buttons = [null, ...faults].map((fault) =>
  el("button", { type: "button", class: fault ? "bad" : "", text: t(fault ?? "fine"), "data-fault": fault ?? "", onclick: () => ask("fault", { fault }) }));
const phones = new Map();

function phone({ id, name, name_en }) {
  const picture = el("img", { alt: "" });
  const code = el("code");
  const left = el("small");
  const node = el("section", { class: "phone", "data-citizen": id },
    el("h2", { text: english ? name_en : name }), picture, left, code,
    el("div", { class: "acts" },
      el("button", { class: "act main", type: "button", text: t("copy"), onclick: () => navigator.clipboard.writeText(code.textContent) }),
      el("button", { class: "act", type: "button", text: t("fresh"), onclick: () => ask(`show/${id}`) })));
  byId("phones").append(node);
  return { picture, code, left };
}

function show(state) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.fault === (state.fault ?? "")));
  for (const one of state.citizens) {
    if (!phones.has(one.id)) phones.set(one.id, phone(one));
    const parts = phones.get(one.id);
    if (parts.code.textContent !== one.code) {
      parts.picture.src = one.svg;
      parts.picture.alt = one.code;
      parts.code.textContent = one.code;
    }
    parts.left.textContent = t("seconds", { n: one.seconds });
  }
  byId("link").textContent = t("asked", { n: state.asked });
  byId("link").classList.remove("lost");
}

async function look() {
  try {
    show(await (await fetch("state")).json());
  } catch {
    byId("link").textContent = t("lost");
    byId("link").classList.add("lost");
  }
}

async function ask(path, body = {}) {
  await fetch(path, { method: "POST", body: JSON.stringify(body) }).catch(() => undefined);
  await look();
}

for (const id of ["brand", "title", "intro", "bench", "behaves"]) byId(id).textContent = t(id);
byId("language").textContent = t("other_language");
byId("language").href = english ? "?" : "?lang=en";
byId("bench").href = english ? "/?lang=en" : "/";
byId("faults").replaceChildren(...buttons);
byId("faults").setAttribute("aria-label", t("behaves"));
await look();
setInterval(look, 1000);

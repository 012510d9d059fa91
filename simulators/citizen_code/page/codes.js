// The codes on people's phones, asked for anew each second as their seconds run.
import { ask, byId, el, english, faultButtons, given, pressed, t, told, watch } from "/static/kit.js";

const buttons = faultButtons(given.faults, (fault) => ask("fault", { fault }));
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
  pressed(buttons, state.fault);
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
  told(t("asked", { n: state.asked }));
}

byId("faults").replaceChildren(...buttons);
await watch(show);

// The control page: panels are built once, then told of every new state of the bench.
import { byId, el, english, given, lang, t, told } from "/static/kit.js";

const { cards, citizens, faces, models } = given;
const cardById = Object.fromEntries(cards.map((card) => [card.id, card]));
const clock = (ms) => new Date(ms).toLocaleTimeString(lang, { hour12: false });

let toastTimer;
function toast(text) {
  const node = byId("toast");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (node.hidden = true), 4000);
}

async function act(device, action, body = {}) {
  try {
    const response = await fetch(`/api/${encodeURIComponent(device)}/${action}?lang=${lang}`, {
      method: "POST", body: JSON.stringify(body),
    });
    if (!response.ok) toast((await response.json()).message);
  } catch {
    toast(t("error_offline"));
  }
}

// One row of exclusive choices: [key of its word, action to do, parameters, tone]; `pick` names the one in force.
function choice(id, label, options, pick) {
  const buttons = options.map(([word, run, tone]) =>
    el("button", { type: "button", class: tone ?? "", text: t(word), onclick: run, "data-choice": word }));
  const node = el("div", { class: "row" }, el("span", { text: t(label) }),
    el("div", { class: "choice", role: "group", "aria-label": t(label) }, ...buttons));
  const update = (state) => {
    const word = pick(state);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.choice === word));
  };
  return { node, update };
}

function cable(id) {
  return choice(id, "cable", [
    ["cable_in", () => act(id, "replug")], ["cable_out", () => act(id, "unplug"), "bad"],
  ], (state) => (state.plugged ? "cable_in" : "cable_out"));
}

const LINE = ["mute", "slow", "split_bytes", "garbage_prefix", "wrong_checksum", "duplicate_answer", "stuck", "no_terminator", "busy"];
function talk(id, first) {
  const possible = LINE.filter((fault) => first.possible_faults.includes(fault));
  const only = async (wanted, faults) => {
    for (const fault of possible.filter((one) => faults.includes(one) && one !== wanted)) {
      await act(id, "fault", { name: fault, on: false });
    }
    if (wanted) await act(id, "fault", { name: wanted, on: true });
  };
  let faults = first.faults;
  const row = choice(id, "talk", [
    ["fine", () => only(null, faults)],
    ...possible.map((fault) => [`talk_${fault}`, () => only(fault, faults), fault === "mute" ? "bad" : "warn"]),
  ], (state) => {
    faults = state.faults;
    const found = possible.find((fault) => faults.includes(fault));
    return found ? `talk_${found}` : "fine";
  });
  return row;
}

// What a hand at the machine can do to every device: pull the cable half-way through, or put another model there.
function hands(first, ...more) {
  const id = first.id;
  const pull = el("button", { class: "act", type: "button", onclick: () => act(id, "disconnect_mid_job") });
  const others = models[first.kind] ?? [];
  const select = el("select", { "aria-label": t("model_there"), onchange: () => act(id, "swap", { model: select.value }) },
    ...others.map((one) => el("option", { value: one.id, text: one.name })));
  const node = el("div", {},
    others.length < 2 ? null : el("label", { class: "row" }, el("span", { text: t("model_there") }), select),
    el("div", { class: "acts" }, pull, ...more));
  const update = (state) => {
    pull.textContent = t(state.disconnect_mid_job ? "disconnect_armed" : "disconnect_mid_job");
    pull.classList.toggle("armed", state.disconnect_mid_job);
    select.value = state.profile;
    select.classList.toggle("armed", state.profile !== state.configured);
  };
  return { node, update };
}

function panel(first, ...rows) {
  const pill = el("span", { class: "pill" });
  const url = el("p", { class: "url" });
  const node = el("section", { "data-device": first.id },
    el("h2", {}, el("span", { text: t(first.kind) }), el("span", { class: "model", text: `${first.vendor} ${first.model}` }), pill),
    url, ...rows.map((row) => row.node));
  const update = (state) => {
    const word = !state.plugged ? "unplugged" : state.connected ? "driven" : "idle";
    pill.textContent = t(word);
    pill.className = `pill ${{ unplugged: "bad", driven: "good" }[word] ?? ""}`;
    url.textContent = state.url;
    for (const row of rows) row.update(state);
  };
  return { node, update };
}

function condition(id, label, good, bad, name, on, off) {
  return choice(id, label, [[good, () => act(id, off)], [bad, () => act(id, on), "bad"]],
    (state) => (state.conditions.includes(name) ? bad : good));
}

function paperRow(id) {
  const full = async () => { await act(id, "paper_full"); await act(id, "paper_in"); };
  const low = async () => { await act(id, "paper_low"); await act(id, "paper_in"); };
  return choice(id, "paper", [
    ["paper_full", full], ["paper_low", low, "warn"], ["paper_out", () => act(id, "paper_out"), "bad"],
  ], ({ conditions }) => ["paper_out", "paper_low"].find((one) => conditions.includes(one)) ?? "paper_full");
}

function printerPanel(first) {
  const id = first.id;
  const power = el("button", { class: "act", type: "button", text: t("power_cycle"), onclick: () => act(id, "power_cycle") });
  const notice = el("p", { class: "notice", hidden: "" });
  const extra = {
    node: notice,
    update: (state) => {
      notice.hidden = !(state.stopped && state.buffered_bytes);
      notice.textContent = t("buffered", { n: state.buffered_bytes });
    },
  };
  return panel(first, paperRow(id),
    condition(id, "cover", "cover_closed", "cover_open", "cover_open", "open_cover", "close_cover"),
    condition(id, "cutter", "fine", "stuck", "cutter_error", "jam_cutter", "free_cutter"),
    condition(id, "feed", "fine", "stuck", "jam", "jam_paper", "free_paper"),
    condition(id, "head", "fine", "hot", "head_hot", "heat", "cool"),
    condition(id, "exit", "exit_empty", "exit_full", "ticket_not_taken", "leave_ticket", "take_ticket"),
    cable(id), talk(id, first), hands(first, power), extra);
}

function pad() {
  const node = el("div", { class: "pad" });
  let shown;
  const update = (state) => {
    const now = `${state.card}/${state.read_done}`;
    if (now === shown) return;
    shown = now;
    const card = cardById[state.card];
    if (!card) return node.replaceChildren(el("p", { text: t("card_area") }));
    const kind = card.kind === "citizen" ? "" : " elsewhere";
    node.replaceChildren(el("div", { class: `card${kind}${card.id === "unreadable" ? " broken" : ""}` },
      el("b", { text: card.name }), el("small", { text: card.title.split(" · ")[0] }), el("span", { class: "face" }),
      el("span", { class: state.read_done ? "done yes" : "done", text: state.read_done ? `✓ ${t("read_done")}` : t("waiting_read") }),
      el("span", { class: "digits", text: card.number })));
  };
  return { node, update };
}

function cardChoice(id) {
  const buttons = cards.map((card) => el("button", {
    type: "button", text: card.title, "data-card": card.id, onclick: () => act(id, "put", { card: card.id }),
  }));
  const take = el("button", { class: "act main", type: "button", text: t("take"), onclick: () => act(id, "take") });
  const pull = el("button", { class: "act", type: "button", onclick: () => act(id, "pull_mid_read") });
  const node = el("div", {}, el("div", { class: "acts" }, take, pull),
    el("p", { class: "hint", text: t("put_hint") }), el("div", { class: "cards" }, ...buttons), el("div", { class: "tries" }));
  const update = (state) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.card === state.card));
    take.disabled = state.card === null;
    pull.textContent = t(state.pull_mid_read ? "pull_armed" : "pull_mid_read");
    pull.classList.toggle("armed", state.pull_mid_read);
  };
  return { node, update };
}

function readerPanel(first) {
  const id = first.id;
  const sam = async (wanted) => {
    for (const fault of ["sam_fault", "unauthorised"]) await act(id, "fault", { name: fault, on: fault === wanted });
  };
  return panel(first, pad(), cardChoice(id), cable(id), talk(id, first),
    choice(id, "sam", [["fine", () => sam(null)], ["sam_fault", () => sam("sam_fault"), "bad"], ["unauthorised", () => sam("unauthorised"), "bad"]],
      (state) => ["sam_fault", "unauthorised"].find((one) => state.faults.includes(one)) ?? "fine"), hands(first));
}

function scannerPanel(first) {
  const id = first.id;
  const input = el("input", { placeholder: t("scan_hint"), "aria-label": t("scan_hint"), maxlength: "2953" });
  const form = el("form", {
    onsubmit: (event) => { event.preventDefault(); act(id, "scan", { text: input.value }); },
  }, input, el("button", { class: "act main", text: t("scan") }));
  const last = el("button", { class: "act", type: "button", text: t("scan_last"), onclick: () => act(id, "scan_last_ticket") });
  const list = el("ul", { class: "scans" });
  const update = (state) => list.replaceChildren(...state.scans.slice(0, 4).map((scan) =>
    el("li", {}, el("time", { text: clock(scan.at_ms) }), el("code", { text: scan.text }), el("i", { text: t(`scan_${scan.result}`) }))));
  const people = !citizens.length ? null : el("div", {},
    el("p", { class: "hint" }, t("scan_citizen"), " · ", el("a", { href: `/citizen-codes/${english ? "?lang=en" : ""}`, text: t("citizen_codes") })),
    el("div", { class: "people" }, ...citizens.map((one) => el("button", {
      class: "act", type: "button", text: one.name, "data-citizen": one.id,
      onclick: () => act(id, "scan_citizen_code", { citizen: one.id }),
    }))));
  return panel(first, { node: el("div", {}, form, el("div", { class: "acts" }, last), people ?? "", list), update }, cable(id), talk(id, first), hands(first));
}

function faceFront(id) {
  const buttons = faces.map((one) => el("button", {
    class: "act", type: "button", text: one.name, "data-person": one.id, onclick: () => act(id, "stand", { person: one.id }),
  }));
  const away = el("button", { class: "act main", type: "button", text: t("walk_away"), onclick: () => act(id, "walk_away") });
  const lamp = el("p", { class: "notice", role: "status" });
  const list = el("ul", { class: "scans" });
  const names = Object.fromEntries(faces.map((one) => [one.id, one.name]));
  const node = el("div", {}, lamp, el("p", { class: "hint", text: t("stand_hint") }),
    el("div", { class: "people" }, ...buttons, away), list);
  const update = (state) => {
    lamp.textContent = t(state.looking ? "face_looking" : "face_dark");
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.person === state.front));
    away.disabled = state.front === null;
    list.replaceChildren(...state.seen.slice(0, 4).map((one) =>
      el("li", {}, el("time", { text: clock(one.at_ms) }), el("code", { text: names[one.person] ?? one.person }),
        el("i", { text: t(one.recognised ? "face_recognised" : "face_nobody") }))));
  };
  return { node, update };
}

function facePanel(first) {
  const id = first.id;
  const health = async (wanted) => {
    for (const fault of ["camera_fault", "platform_lost", "eager"]) await act(id, "fault", { name: fault, on: fault === wanted });
  };
  const found = (state) => ["camera_fault", "platform_lost", "eager"].find((one) => state.faults.includes(one)) ?? "fine";
  return panel(first, faceFront(id), cable(id), talk(id, first),
    choice(id, "face_health", [["fine", () => health(null)], ["camera_fault", () => health("camera_fault"), "bad"],
      ["platform_lost", () => health("platform_lost"), "bad"], ["eager", () => health("eager"), "warn"]], found), hands(first));
}

function outlet(first) {
  const paper = el("div");
  const node = el("section", { class: "outlet", "aria-label": t("tickets"), "data-outlet": first.id }, el("div", { class: "slot" }), paper);
  let shown;
  const source = (no) => `/api/${encodeURIComponent(first.id)}/tickets/${no}.svg`;
  const update = ({ tickets }) => {
    const [newest, ...rest] = tickets;
    if (shown === (newest?.no ?? 0)) return;
    shown = newest?.no ?? 0;
    if (!newest) return paper.replaceChildren(el("p", { class: "empty", text: t("no_ticket") }));
    const torn = newest.edge === "paper_end" ? t("torn") : "";
    paper.replaceChildren(
      el("div", { class: "paper" }, el("img", { src: source(newest.no), alt: newest.lines.join("\n") })),
      el("p", { class: "caption" }, el("span", { text: `${t("ticket_no", { no: newest.no })} ${torn}` }),
        el("a", { href: source(newest.no).replace(".svg", "/code"), target: "_blank", rel: "noreferrer", text: t("open_code") }),
        el("time", { text: clock(newest.at_ms) })),
      newest.ignored.length ? el("p", { class: "notice", text: t("ignored", { list: newest.ignored.join(", ") }) }) : "",
      rest.length ? el("div", { class: "older" }, el("h3", { text: t("older") }), ...rest.slice(0, 6).map((one) =>
        el("a", { href: source(one.no), target: "_blank" }, el("img", { src: source(one.no), alt: one.lines.join("\n"), loading: "lazy" })))) : "");
  };
  return { node, update };
}

function lamps() {
  const node = el("div", { class: "lamps", role: "img" });
  let shown;
  const update = ({ lines }) => {
    const lit = lines.filter((line) => line.text);
    const now = JSON.stringify(lit);
    if (now === shown) return;
    shown = now;
    node.setAttribute("aria-label", lit.map((line) => line.text).join("; ") || t("dark"));
    node.replaceChildren(...lit.map((line) =>
      el("p", { class: line.moves ? "moves" : line.align }, el("span", {}, ...line.runs.map((run) => el("b", { class: run.colour, text: run.text }))))));
  };
  return { node, update };
}

function ledPanel(first) {
  const id = first.id;
  const power = el("button", { class: "act", type: "button", text: t("power_cycle"), onclick: () => act(id, "power_cycle") });
  return panel(first, lamps(), cable(id), talk(id, first), hands(first, power));
}

const PANELS = { printer: printerPanel, id_reader: readerPanel, scanner: scannerPanel, face: facePanel, led: ledPanel };
const bench = byId("bench");
const tabs = byId("groups");
const parts = new Map();
let current = decodeURIComponent(location.hash.slice(1));
let built = "";
let latest = { devices: [] };

function build(devices) {
  const here = devices.filter((device) => device.group === current);
  parts.clear();
  const [left, middle, right] = [el("div", { class: "column" }), el("div", { class: "column" }), el("div", { class: "column" })];
  for (const device of here) {
    const own = [PANELS[device.kind](device)];
    (device.kind === "id_reader" ? left : middle).append(own[0].node);
    if (device.kind === "printer") {
      own.push(outlet(device));
      right.append(own[1].node);
    }
    parts.set(device.id, own);
  }
  bench.replaceChildren(here.length ? el("div", { class: "group" }, left, middle, right) : el("p", { text: t("nowhere") }));
}

// The scenario that is played here: how far it is, and what it did last.
let sceneShown;
function scene(state) {
  const now = JSON.stringify(state.scenario);
  if (now === sceneShown) return;
  sceneShown = now;
  const node = byId("scenario");
  node.hidden = !state.scenario;
  if (!state.scenario) return;
  const { name, name_en, done, total, last } = state.scenario;
  const word = (what) => texts[`what_${what}`] ?? texts[`talk_${what}`] ?? texts[what] ?? what;
  node.replaceChildren(
    el("b", { text: english ? name_en : name }), el("span", { text: t("scenario_steps", { done, total }) }),
    ...last.slice(0, 3).map((one) => el("span", { class: one.on ? "on" : "off" },
      el("time", { text: one.time }), ` ${one.device} · ${word(one.what)} · ${t(one.on ? "scenario_begins" : "scenario_ends")}`)));
}

function show(state) {
  latest = state;
  scene(state);
  const groups = [...new Set(state.devices.map((device) => device.group))];
  if (!groups.includes(current)) current = groups[0] ?? "";
  const key = JSON.stringify([current, state.devices.map((device) => [device.id, device.profile])]);
  if (key !== built) build(state.devices);
  built = key;
  for (const device of state.devices) for (const part of parts.get(device.id) ?? []) part.update(device);
  showTabs(groups, state.devices);
}

let tabsShown;
function showTabs(groups, devices) {
  const tabList = groups.length < 2 && !groups[0] ? [] : groups.map((group) => {
    const members = devices.filter((device) => device.group === group);
    const trouble = members.some((device) => !device.plugged || device.faults.length || device.conditions?.length || device.profile !== device.configured);
    return { group, name: english ? members[0].group_en : group, trouble };
  });
  const key = JSON.stringify([current, tabList]);
  if (key === tabsShown) return;
  tabsShown = key;
  tabs.replaceChildren(...tabList.map(({ group, name, trouble }) => el("button", {
    type: "button", "aria-current": String(group === current), title: trouble ? t("trouble") : "",
    onclick: () => { current = group; location.hash = encodeURIComponent(group); show(latest); },
  }, name, trouble ? el("span", { class: "mark", role: "img", "aria-label": t("trouble") }) : "")));
}

const link = (ok) => told(t(ok ? "live" : "lost"), !ok);
const events = new EventSource("/api/events");
events.onmessage = (event) => { link(true); show(JSON.parse(event.data)); };
events.onerror = () => link(false);

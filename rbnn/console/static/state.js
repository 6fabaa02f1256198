// What the board is: its line, its tasks, its facts, and what has happened.

import { byId, fill, grouped, make } from "./dom.js";

const STATES = {
  unlicensed: "no licence", locked: "locked", unlocked: "unlocked", active: "active",
};

export function showLine(state, working) {
  const line = byId("line-state");
  const [kind, text] = !state ? ["gone", "No console"]
    : !state.connected ? ["gone", "Not connected"]
    : working || state.busy ? ["working", "Working …"] : ["connected", "Connected"];
  line.dataset.state = kind;
  if (line.textContent !== text) line.textContent = text;
  byId("connect").hidden = !state || state.connected;
  byId("connect").disabled = working;
  byId("disconnect").hidden = !state?.connected;
  byId("disconnect").disabled = working;
}

export function showProblem(problem) {
  const place = byId("gone");
  fill(place, problem, () => problem
    ? [make("p", {}, make("b", {}, problem.what)), make("p", {}, problem.fix)] : []);
  place.hidden = !problem;
}

export function showTasks(state, working, act) {
  const { status } = state;
  const tasks = status?.tasks ?? [];
  const licences = status?.licences ?? [];
  const off = working || !state.connected;
  const place = byId("tasks");
  const focused = document.activeElement?.closest("#tasks li")?.dataset.task;
  fill(place, [tasks, licences, off, state.has_key], () => tasks.map(task => {
    const licence = licences.findLast(one => one.task === task.name);
    const about = `${task.classes} classes` + (licence
      ? ` · licence ${licence.sequence}${licence.place === "ram" ? ", until power-off" : ""}` : "");
    const button = (name, text) => make("button", {
      type: "button", class: "quiet", disabled: off,
      "aria-label": `${text}: ${task.name}`, onclick: () => act(name, task.name),
    }, text);
    const locked = task.state === "locked";
    return make("li", { class: task.state, "data-task": task.name, tabindex: -1 },
      make("div", { class: "what" },
        make("p", {}, make("b", {}, task.name),
          make("span", { class: "is" }, STATES[task.state])),
        make("p", { class: "small soft" }, about)),
      make("div", { class: "does" },
        locked && state.has_key && button("unlock", "Unlock"),
        (task.state === "unlocked" || (locked && state.has_key)) && button("switch", "Switch")));
  }));
  if (focused && document.activeElement === document.body) { // the buttons are new ones
    const same = [...place.children].find(one => one.dataset.task === focused);
    (same?.querySelector("button:not(:disabled)") ?? same)?.focus();
  }
  byId("no-tasks").hidden = tasks.length > 0;
  byId("no-tasks").textContent = state.connected ? "The board has no model: rbnn flash"
    : "Not known: the board is not connected.";
  byId("lock").disabled = off || !tasks.some(one => ["unlocked", "active"].includes(one.state));
  byId("key-hint").hidden = state.has_key || !tasks.some(one => one.state === "locked");
}

function factsOf(state) {
  const { status } = state;
  const identity = status?.identity;
  if (!identity) return [["State", "not known: the board is not connected"]];
  const enrolled = {
    fresh: "not enrolled", enrolled: "enrolled",
    "power-cycle": "not known until the next power cycle", damaged: "damaged helper data",
  };
  return [
    ["Device", identity.public || "no key: not enrolled"],
    ["Enrolment", enrolled[identity.puf]],
    ["Firmware", `${identity.firmware}, ${identity.build} build`],
    ["Model", identity.model_id || "none"],
    ["Protection", state.protection],
    ["Line", status.port],
    ["Stack", status.stack
      ? `${grouped(status.stack.used)} of ${grouped(status.stack.reserved)} bytes used` : "–"],
  ];
}

export function showFacts(state) {
  const facts = factsOf(state);
  const hex = new Set(["Device", "Model"]);
  fill(byId("facts"), facts, () => facts.flatMap(([name, text]) => [
    make("dt", {}, name),
    make("dd", { class: hex.has(name) && /^[0-9a-f]+$/.test(text) ? "hex" : false },
      hex.has(name) ? text.replace(/([0-9a-f]{8})(?=.)/g, "$1 ") : text),
  ]));
}

export function showEvents(events) {
  fill(byId("log"), events.map(one => one.number), () => events.map(one =>
    make("li", { class: one.kind },
      make("time", { datetime: one.at }, new Date(one.at).toLocaleTimeString("en-GB")),
      make("span", {}, one.kind === "failed" && make("b", {}, "Failed. "), one.text,
        one.fix ? ` ${one.fix}` : ""))));
}

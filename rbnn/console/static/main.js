// The page: asks for the state, and does what is clicked, chosen, dropped or recorded.

import * as api from "./api.js";
import { byId, make } from "./dom.js";
import { clearProfile, showProfile } from "./profile.js";
import { record } from "./recorder.js";
import { clearResult, showResult, showWorking } from "./result.js";
import { showEvents, showFacts, showLine, showProblem, showTasks } from "./state.js";

const EVERY_MS = 3000;
const MOST_BYTES = Number(document.body.dataset.mostBytes);
const NAMES = {
  image: "a picture", audio: "a sound", series: "a sensor series", tensor: "a tensor",
};
const ANY = "a file";
const ACCEPTED = {
  image: "image/png,image/jpeg", audio: ".wav,audio/wav,audio/x-wav", series: ".csv,.npy",
  tensor: ".npy",
};

let state = null;
let working = false;
let recording = null;
let measured = "";

function show() {
  showLine(state, working);
  showProblem(state ? state.problem
    : { what: "The console does not answer.", fix: "It may have ended: rbnn console" });
  if (!state) return enable(false);
  const name = state.board + (state.emulated ? ", emulated" : "");
  document.title = `${state.connected ? "" : "! "}${name} · rbnn console`;
  byId("board-name").replaceChildren(state.board,
    state.emulated ? make("small", {}, " emulated") : "");
  showTasks(state, working, (name, task) => run(() => api.act(name, task)));
  showFacts(state);
  showEvents(state.events);
  enable(Boolean(state.connected && state.active));
}

function enable(ready) {
  const active = state?.active;
  const kind = active?.kind ?? null;
  const usable = ready && !working && !recording;
  byId("file").disabled = !usable;
  byId("file").accept = kind ? ACCEPTED[kind] : Object.values(ACCEPTED).join();
  byId("drop").classList.toggle("off", !ready);
  byId("drop-what").textContent = `Choose ${NAMES[kind] ?? ANY}`;
  byId("record").hidden = !ready || (kind ?? "audio") !== "audio" || active.channels !== 1;
  byId("record").disabled = working;
  byId("try-hint").textContent = !state?.connected ? "The board is not connected."
    : !active ? "Switch to a task first."
    : `${active.name} is active: ${NAMES[kind] ?? ANY} in, `
      + `one of ${active.classes} classes out.`;
  const release = state?.status?.identity?.build === "release";
  byId("measure").disabled = !usable || release;
  byId("profile-hint").textContent = release
    ? "This firmware is a release build, which cannot time layers: rbnn flash --development"
    : "Runs the active task’s network twice on a grey picture, and times every layer of the "
      + "second run.";
  if (measured && active?.name !== measured) {
    measured = "";
    clearProfile();
  }
}

function complain(error) {
  if (!(error instanceof api.Refusal)) throw error;
  const place = byId("error");
  const close = make("button", { type: "button", class: "quiet", onclick: () => {
    place.hidden = true;
  } }, "Close");
  place.replaceChildren(make("div", {}, make("p", {}, error.what),
    error.fix ? make("p", {}, error.fix) : null), close);
  place.hidden = false;
}

async function refresh() {
  try {
    state = await api.state();
  } catch (error) {
    if (!(error instanceof api.Refusal)) throw error;
    state = null;
  }
}

// Does one thing at a time; what it gives is the new state, unless it gives something else.
async function run(act, take = null) {
  if (working) return;
  const focused = document.activeElement?.id;
  working = true;
  byId("error").hidden = true;
  show();
  try {
    const given = await act();
    if (take) take(given);
    else state = given;
  } catch (error) {
    complain(error);
  } finally {
    working = false;
    await refresh();
    show();
    focusAgain(focused);
  }
}

// A button that was disabled meanwhile has lost the focus.
function focusAgain(id) {
  if (!id || document.activeElement !== document.body) return;
  const other = { connect: "disconnect", disconnect: "connect" }[id] ?? id;
  for (const one of [byId(id), byId(other)]) if (one && !one.hidden) one.focus();
}

async function classify(file, window = 0) {
  if (!file || working || !state?.active) return;
  await run(async () => {
    if (file.size > MOST_BYTES) {
      throw new api.Refusal(`${file.name} is larger than ${MOST_BYTES / 2 ** 20} MiB.`,
        "Shorten or scale it down.");
    }
    showWorking(file.name);
    try {
      return await api.infer(file.name, file, window);
    } catch (error) {
      clearResult();
      throw error;
    }
  }, answer => showResult(file, answer, other => classify(file, other)));
}

async function recordAndClassify() {
  if (recording) return recording.abort();
  recording = new AbortController();
  const button = byId("record");
  button.setAttribute("aria-pressed", "true");
  byId("record-what").textContent = "Recording … press to stop";
  show();
  let file = null;
  try {
    file = await record(recording.signal, (level, left) => {
      byId("meter").style.transform = `scaleX(${level.toFixed(3)})`;
      byId("record-hint").textContent = `${left.toFixed(1)} s left`;
    });
  } catch (error) {
    complain(error);
  } finally {
    recording = null;
    button.setAttribute("aria-pressed", "false");
    byId("record-what").textContent = "Record a sound";
    byId("record-hint").textContent = "two seconds";
    show();
  }
  await classify(file);
}

function listen() {
  byId("connect").addEventListener("click", () => run(() => api.act("connect")));
  byId("disconnect").addEventListener("click", () => run(() => api.act("disconnect")));
  byId("lock").addEventListener("click", () => run(() => api.act("lock")));
  byId("measure").addEventListener("click", () => run(() => api.act("profile"), found => {
    measured = found.profile.task;
    showProfile(found);
  }));
  byId("record").addEventListener("click", recordAndClassify);
  byId("file").addEventListener("change", async event => {
    const [file] = event.target.files;
    await classify(file);
    event.target.value = ""; // so that the same file can be chosen again
  });
  const drop = byId("drop");
  const over = on => drop.classList.toggle("over", on && !byId("file").disabled);
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, event => {
      event.preventDefault(); // or the browser would open the file
      over(true);
    });
  }
  document.addEventListener("dragleave", event => over(Boolean(event.relatedTarget)));
  document.addEventListener("drop", event => {
    event.preventDefault();
    over(false);
    classify(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", event => classify(event.clipboardData?.files[0]));
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") byId("error").hidden = true;
  });
}

async function look() {
  if (!working && !document.hidden) {
    await refresh();
    show();
  }
  setTimeout(look, EVERY_MS);
}

listen();
look();

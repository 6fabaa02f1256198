// The answer for one file: what went in, what the network got, and the scores.

import { bar, byId, make, percent } from "./dom.js";

const SHOWN = 5;
let shownFile = null;

export function clearResult() {
  byId("result").replaceChildren();
  byId("said").textContent = "";
}

export function showWorking(name) {
  const text = `The board works on ${name} …`;
  byId("result").replaceChildren(make("p", { class: "working" }, text));
  byId("said").textContent = text;
}

// Which window of a sensor series was looked at, and buttons for the ones beside it.
function windows(answer, choose) {
  const { window, windows: count, step } = answer;
  const button = (id, text, label, other) => make("button", { type: "button", class: "quiet", id,
    disabled: other < 0 || other >= count, "aria-label": label, onclick: () => choose(other) }, text);
  return make("p", { class: "windows" },
    button("earlier", "◀", "Earlier window", window - 1),
    make("span", {}, `window ${window + 1} of ${count}, from time step ${step}`),
    button("later", "▶", "Later window", window + 1));
}

export function showResult(file, answer, choose) {
  if (shownFile) URL.revokeObjectURL(shownFile);
  shownFile = URL.createObjectURL(file);
  const { inference, kind } = answer;
  const sound = kind === "audio";
  const picture = kind === "image";
  const own = sound
    ? make("audio", { controls: true, src: shownFile, "aria-label": `Your sound ${file.name}` })
    : picture ? make("img", { src: shownFile, alt: `Your picture ${file.name}` }) : null;
  const bars = scores => make("ul", { class: "bars" }, scores.map(one =>
    bar(one.label, one.score, percent(one.score), one === inference.scores[0])));
  const rest = inference.scores.slice(SHOWN);
  const best = inference.scores[0];
  byId("said").textContent = `${best.label}, ${percent(best.score)}, says task ${inference.task}`;
  byId("result").replaceChildren(make("div", { class: "found" },
    make("div", { class: "seen" },
      own && make("figure", {}, own,
        make("figcaption", {}, sound ? "your sound" : "your picture")),
      make("figure", {},
        make("img", { class: "pixels", src: answer.picture, width: 32, height: 32,
          alt: sound ? "The sound as the network gets it: bands by moments"
            : "The input as the network gets it, in pixels" }),
        make("figcaption", {}, "what the network gets"))),
    make("div", {},
      make("p", { class: "verdict" }, best.label),
      make("p", { class: "soft" }, `${percent(best.score)}, says task `,
        make("b", {}, inference.task), ` after ${answer.took}`),
      answer.note ? make("p", { class: "small" }, answer.note) : null,
      answer.windows > 1 ? windows(answer, choose) : null,
      bars(inference.scores.slice(0, SHOWN)),
      rest.length ? make("details", {}, make("summary", {}, `${rest.length} more classes`),
        bars(rest)) : null)));
}

// Where an inference spends its time, layer by layer.

import { bar, byId, grouped, make, percent } from "./dom.js";

export function showProfile({ profile, mark }) {
  const unit = profile.unit + (mark ? ` (${mark})` : "");
  const largest = Math.max(...profile.layers.map(one => one.counts), 1);
  byId("profile").replaceChildren(
    make("figcaption", {}, `${profile.task}: ${grouped(profile.counts)} ${unit} in one inference`),
    make("ul", { class: "bars layers", "aria-label": "Layers" }, profile.layers.map(one =>
      bar(`${one.layer} ${one.operator}`, one.counts / largest,
        `${percent(one.share)} · ${grouped(one.counts)}`))));
}

export function clearProfile() {
  byId("profile").replaceChildren();
}

// Elements made from values. Text is always text, whatever is in it.

export const byId = id => document.getElementById(id);

// An element with attributes and children; what is null or false is left out.
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name === "onclick") made.addEventListener("click", value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter(child => child !== null && child !== false));
  return made;
}

// Replaces what is in a place only if that changes anything, so that focus and selection stay.
export function fill(place, key, children) {
  const text = JSON.stringify(key);
  if (place.dataset.key === text) return;
  place.dataset.key = text;
  place.replaceChildren(...children());
}

export const percent = share => `${(100 * share).toFixed(1)}\u202f%`;
export const grouped = number => number.toLocaleString("en-US");

// A bar of the report's kind: a name, a track that is filled by a share of 1, and a text.
export function bar(name, share, text, best = false) {
  const filled = make("span");
  filled.style.width = `${Math.min(100, 100 * share).toFixed(2)}%`;
  return make("li", { class: best ? "best" : false },
    make("span", { class: "name" }, name),
    make("span", { class: "row" }, make("span", { class: "track", "aria-hidden": "true" }, filled),
      make("span", {}, text)));
}

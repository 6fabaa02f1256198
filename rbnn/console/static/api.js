// The console's answers: documents, or errors that say what is wrong and how to fix it.

export class Refusal extends Error {
  constructor(what, fix) {
    super(what);
    this.what = what;
    this.fix = fix;
  }
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(`api/${path}`, options);
  } catch {
    throw new Refusal("The console does not answer.",
      "It may have ended; start it again: rbnn console");
  }
  let document;
  try {
    document = await answer.json();
  } catch {
    throw new Refusal(`The console failed (HTTP ${answer.status}).`, "Its terminal says why.");
  }
  if (!answer.ok) throw new Refusal(document.error, document.try);
  return document;
}

export const state = () => ask("state");
export const act = (name, task) =>
  ask(task === undefined ? name : `${name}?task=${encodeURIComponent(task)}`, { method: "POST" });
export const infer = (name, body, window = 0) =>
  ask(`infer?name=${encodeURIComponent(name)}&window=${window}`, { method: "POST", body });

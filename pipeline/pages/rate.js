// A rater's entries are kept in localStorage under the study and the rater's name, and go to a file on request.
// Every text from a project enters the page as a text node.

const start = byId("start");
const view = byId("items");
const projects = [...document.querySelectorAll('script[type="application/json"]')].map((script) => JSON.parse(script.textContent));
const aspects = [...byId("questions").querySelectorAll("dt")].map((term) => ({ name: term.textContent, question: term.nextElementSibling.textContent }));

let rater = "";
let ratings = {}; // by project key: { compliance, usefulness, idiomaticity, comment }
let order = [];
let place = 0;

// An order of each rater's own, the same whenever they come back: Fisher and Yates with numbers from a hash of the name.
function shuffled(count, seed) {
  let state = 2166136261;
  for (const letter of seed) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
  const random = () => { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const places = Array.from({ length: count }, (_, number) => number);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [places[last], places[other]] = [places[other], places[last]];
  }
  return places;
}

const storageKey = () => `dlcodegen-rating ${start.dataset.study} ${rater}`;
const complete = (key) => aspects.every(({ name }) => Number.isInteger(ratings[key]?.[name]));

function remember(key, name, value) {
  ratings[key] = { ...ratings[key], [name]: value };
  try {
    localStorage.setItem(storageKey(), JSON.stringify({ ratings, place }));
  } catch {
    byId("progress").textContent = "This browser keeps nothing: save to a file before you leave.";
    return;
  }
  progress();
}

function progress() {
  const done = projects.filter((project) => complete(project.key)).length;
  byId("progress").textContent = `${place + 1} of ${order.length} · ${done} rated`;
  byId("previous").disabled = place === 0;
  byId("next").disabled = place === order.length - 1;
}

const codeParts = (line) => line.map((part, index) => (index % 2 ? h("span", { class: part[0] }, part.slice(1)) : part));

function scale(project, { name, question }) {
  const given = ratings[project.key]?.[name];
  return h("fieldset", {}, h("legend", {}, name), h("p", {}, question),
    h("div", { class: "scale" }, Array.from({ length: 11 }, (_, value) => h("label", {},
      h("input", { type: "radio", name, value, checked: given === value, onchange: () => remember(project.key, name, value) }), String(value)))));
}

function show() {
  const project = projects[order[place]];
  const comment = h("textarea", { "aria-label": "Comment", placeholder: "Comment, if you like", oninput: () => remember(project.key, "comment", comment.value) });
  comment.value = ratings[project.key]?.comment ?? "";
  view.replaceChildren(h("div", { class: "task" },
    h("div", {},
      h("p", { class: "text quote", dir: "auto" }, project.requirement || "(no requirement)"),
      project.attributes && h("p", { class: "text faint", dir: "auto" }, project.attributes),
      h("pre", { tabindex: "0" }, h("code", {}, project.code.map((line) => h("span", { class: "line" }, codeParts(line), "\n"))))),
    h("div", { class: "rate" }, aspects.map((aspect) => scale(project, aspect)), comment)));
  progress();
  scrollTo({ top: 0, behavior: "instant" });
  view.focus({ preventScroll: true });
}

function go(step) {
  place = Math.min(Math.max(place + step, 0), order.length - 1);
  show();
}

start.addEventListener("submit", (event) => {
  event.preventDefault();
  rater = byId("rater").value.trim();
  if (!rater) return;
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(storageKey()) ?? "{}");
  } catch {
    // What another page left under this key is not ours.
  }
  ratings = kept.ratings ?? {};
  order = shuffled(projects.length, `${start.dataset.seed} ${rater}`);
  place = Math.min(kept.place ?? 0, order.length - 1);
  start.hidden = true;
  document.querySelector("header.page").hidden = true;
  view.hidden = byId("bar").hidden = false;
  show();
});
byId("previous").addEventListener("click", () => go(-1));
byId("next").addEventListener("click", () => go(1));
byId("open").addEventListener("click", () => {
  const ahead = order.findIndex((number, at) => at > place && !complete(projects[number].key));
  const open = ahead >= 0 ? ahead : order.findIndex((number) => !complete(projects[number].key));
  if (open >= 0) go(open - place);
});
byId("save").addEventListener("click", () => {
  const text = JSON.stringify({ study: start.dataset.study, rater, ratings }, null, 1);
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: `ratings-${rater.replace(/[^\p{L}\p{N}]+/gu, "-")}.json` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});

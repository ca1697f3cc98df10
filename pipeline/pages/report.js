// The page's rows are in the table #rows; what is known about each is JSON in #data-<number>, read when it is opened.
// Every text from a record enters the page as a text node: nothing here parses HTML.

const overview = byId("overview");
const itemView = byId("item");
const body = byId("rows").tBodies[0];
const rows = [...body.rows];
const inputOrder = [...rows];
const numberOf = (row) => Number(row.dataset.number);
const HASH = /^#item-(\d+)$/;
const CONTEXT = 3; // equal lines kept around a change, as in `diff -u`

const score = (value) => (value == null ? "–" : value.toFixed(2));
const section = (title, ...children) => h("section", {}, h("h2", {}, title), ...children);
const facts = (pairs) => h("dl", { class: "facts" }, pairs.map(([name, value]) => [
  h("dt", {}, name),
  value === "" || value == null ? h("dd", { class: "faint" }, "left open") : h("dd", { class: "text", dir: "auto" }, String(value)),
]));
const table = (headings, lines) => h("div", { class: "scroll" }, h("table", { class: "figures top" },
  h("thead", {}, h("tr", {}, headings.map((heading) => h("th", { scope: "col" }, heading)))),
  h("tbody", {}, lines.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, h("bdi", {}, String(cell ?? "–"))))))),
));

// --- The list: filter, sort, move ---

function filterRows() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const category = byId("category").value;
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden =
      !words.every((word) => text.includes(word)) ||
      (category !== "" && row.cells[2].textContent !== category) ||
      (byId("only-failed").checked && !("failed" in row.dataset)) ||
      (byId("only-deviating").checked && !("deviates" in row.dataset));
    shown += !row.hidden;
  }
  byId("matches").textContent = `${shown} of ${rows.length} rows`;
  byId("none").hidden = shown > 0;
}

function sortRows(heading) {
  const column = heading.cellIndex;
  const next = { none: "ascending", ascending: "descending", descending: "none" }[heading.ariaSort ?? "none"];
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  rows.splice(0, rows.length, ...inputOrder);
  if (next !== "none") {
    heading.setAttribute("aria-sort", next);
    const sign = next === "ascending" ? 1 : -1;
    const value = (row) => row.cells[column].textContent.trim();
    rows.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "–" || y === "–") return (x === "–") - (y === "–"); // what was not measured stays last
      return sign * x.localeCompare(y, "en", { numeric: true, sensitivity: "base" });
    });
  }
  body.append(...rows);
}

function moveFocus(step) {
  const links = rows.filter((row) => !row.hidden).map((row) => row.querySelector("a"));
  const place = links.indexOf(document.activeElement);
  links[place < 0 ? 0 : Math.min(Math.max(place + step, 0), links.length - 1)]?.focus();
}

// --- The opened row ---

const codeParts = (line) => line.map((part, place) => (place % 2 ? h("span", { class: part[0] }, part.slice(1)) : part));
const plainText = (line) => line.map((part, place) => (place % 2 ? part.slice(1) : part)).join("");

function codePanel(data, text) {
  const lines = text.lines.map((place) => data.lines[place]);
  const copy = h("button", { type: "button", onclick: () => copyText(lines.map(plainText).join("\n"), copy) }, "Copy");
  return [
    h("div", { class: "panel-head" }, h("span", {}, `${lines.length} ${lines.length === 1 ? "line" : "lines"}`), copy),
    h("pre", { tabindex: "0" }, h("code", {}, lines.map((line) => h("span", { class: "line" }, codeParts(line), "\n")))),
  ];
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Some browsers give a page opened from a file no clipboard.
    const area = h("textarea", { class: "hidden" });
    area.value = text;
    document.body.append(area);
    area.select();
    button.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C in the code";
    area.remove();
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

function diffPanel(data, diff) {
  const [left, right] = [data.texts[diff.left], data.texts[diff.right]].map((text) => text.lines.map((place) => data.lines[place]));
  const line = (side, place, tag) => [
    h("td", { class: "place" }, String(place + 1)),
    h("td", { class: tag && (tag === "del" ? "removed" : "added") }, tag ? h(tag, {}, codeParts(side[place])) : codeParts(side[place])),
  ];
  const gap = () => [h("td", { class: "place" }), h("td", { class: "gap" })];
  const same = (i, j) => {
    const row = h("tr", {}, line(left, i), line(right, j));
    row.lastChild.className = "again";
    return row;
  };
  const rowsOut = [];
  const equal = (i, j, count, first, last) => {
    const lines = Array.from({ length: count }, (_, step) => same(i + step, j + step));
    const [before, after] = [first ? 0 : CONTEXT, last ? 0 : CONTEXT];
    const folded = lines.slice(before, count - after);
    if (folded.length < 4) return rowsOut.push(...lines);
    const fold = h("tr", { class: "fold" }, h("td", { colspan: "4" },
      h("button", { type: "button", onclick: () => fold.replaceWith(...folded) }, `${folded.length} equal lines`)));
    rowsOut.push(...lines.slice(0, before), fold, ...lines.slice(count - after));
  };
  let [i, j, removed, added] = [0, 0, 0, 0];
  for (const [i1, i2, j1, j2] of diff.changes) {
    equal(i, j, i1 - i, i === 0, false);
    for (let step = 0; step < Math.max(i2 - i1, j2 - j1); step++) {
      rowsOut.push(h("tr", {},
        i1 + step < i2 ? line(left, i1 + step, "del") : gap(),
        j1 + step < j2 ? line(right, j1 + step, "ins") : gap()));
    }
    [i, j, removed, added] = [i2, j2, removed + i2 - i1, added + j2 - j1];
  }
  equal(i, j, left.length - i, i === 0, true);
  const count = diff.changes.length ? `${removed} lines removed, ${added} added, ${left.length - removed} equal` : "no difference";
  return [
    h("div", { class: "panel-head" }, h("span", {}, count)),
    h("table", { class: "diff" },
      h("colgroup", {}, h("col", { class: "place" }), h("col"), h("col", { class: "place" }), h("col")),
      h("thead", {}, h("tr", {}, [diff.left, diff.right].map((side) => h("th", { colspan: "2", scope: "colgroup" }, data.texts[side].name)))),
      h("tbody", {}, rowsOut)),
  ];
}

function tabs(entries) {
  const panel = h("div", { role: "tabpanel", id: "panel", "aria-labelledby": "tab-0" });
  const select = (place, focus) => {
    buttons.forEach((button, other) => {
      button.setAttribute("aria-selected", String(other === place));
      button.tabIndex = other === place ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${place}`);
    panel.replaceChildren(...entries[place].build());
    if (focus) buttons[place].focus();
  };
  const buttons = entries.map((entry, place) => h("button", {
    type: "button", role: "tab", id: `tab-${place}`, "aria-controls": "panel", onclick: () => select(place),
    onkeydown: (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      select((place + step + entries.length) % entries.length, true);
    },
  }, entry.name));
  select(0);
  return [h("div", { role: "tablist", "aria-label": "Code" }, buttons), panel];
}

function scoreParts(scores) {
  const measures = [
    ["parses", scores.parses ? "yes" : "no", scores.parses ? "" : "bad"], ["conformance", score(scores.conformance)],
    ["lines", String(scores.lines)], ["CodeBLEU", score(scores.codebleu)], ["n-gram", score(scores.ngram_match)],
    ["weighted n-gram", score(scores.weighted_ngram_match)], ["syntax", score(scores.syntax_match)],
    ["data flow", score(scores.dataflow_match)], ["length ratio", score(scores.length_ratio)],
  ].filter(([, value]) => value !== "–");
  const found = [
    ...scores.deviations, ...scores.undefined_names.map((name) => `undefined name: ${name}`),
    ...scores.invalid_calls.map((call) => `invalid call: ${call}`),
  ];
  return [
    section("Scores", h("dl", { class: "measures" }, measures.map(([name, value, kind]) => h("div", {}, h("dt", {}, name), h("dd", { class: kind }, value))))),
    section("Deviations from the plan",
      found.length ? h("ul", { class: "deviations" }, found.map((text) => h("li", { dir: "auto" }, text))) : h("p", { class: "faint" }, "None found.")),
  ];
}

// What was asked: the words of the request by what became of them, and each thing by itself.
const requestParts = (parts) => parts.map(([text, outcome]) => (outcome ? h("mark", { class: outcome }, text) : text));

function askedPart(data) {
  const decided = data.checks.filter(([, outcome]) => outcome !== "not_checkable");
  const met = decided.filter(([, outcome]) => outcome === "met");
  return section(`Asked and delivered: ${met.length} of ${decided.length} met`,
    h("div", { class: "scroll" }, h("table", { class: "figures top asked" },
      h("thead", {}, h("tr", {}, ["Asked", "Outcome", "Line", "What is there"].map((heading) => h("th", { scope: "col" }, heading)))),
      h("tbody", {}, data.checks.map(([words, outcome, said, line, evidence]) => h("tr", {},
        h("td", {}, h("bdi", {}, words)), h("td", { class: `outcome ${outcome}` }, said), h("td", {}, line == null ? "" : String(line)), h("td", {}, h("bdi", {}, evidence))))))),
    data.assumed.length > 0 && h("h3", {}, "Assumed: nobody asked for it"),
    data.assumed.length > 0 && table(["What", "Value", "From"], data.assumed));
}

function planPart(data) {
  const plan = data.plan;
  return section(data.planTitle ?? "Plan",
    facts([["task", plan.category], ["input", plan.input], ["output", plan.output], ["preprocessing", plan.preprocess], ...plan.hyperparameters]),
    h("h3", {}, plan.layers.length ? "Layers" : "No layers"),
    h("ol", { class: "layers" }, plan.layers.map((layer) => h("li", {}, h("bdi", {}, layer)))),
    data.sources.length > 0 && h("p", { class: "faint" }, "Drawn from the plans ", h("bdi", {}, data.sources.join(", "))),
  );
}

// A score report has several methods' answers to one item.
const METHOD_HEADINGS = ["Method", "CodeBLEU raw", "paper", "equal length", "length ratio", "conformance %", "lines copied %", ""];
const methodsPart = (data) => section("Methods on this item",
  h("div", { class: "methods-of-item" }, table(METHOD_HEADINGS, data.methods.map((cells) => cells.map((cell) => (typeof cell === "number" ? score(cell) : cell ?? "–"))))),
  data.contaminatedBy && h("p", { class: "faint" }, `Contaminated by: ${data.contaminatedBy}.`));

// A judge's page has what it said of each project and of each pair.
const ASPECTS = ["Compliance", "Usefulness", "Idiomaticity"];
const judgedPart = (data) => section("What the judge said",
  h("div", { class: "methods-of-item" }, table(["Method", "Sample", ...ASPECTS, "Reason"], data.judgements)),
  data.preferences.length > 0 && h("h3", {}, "Pairs: the better one"),
  data.preferences.length > 0 && h("div", { class: "methods-of-item" }, table(["Shown first (A)", "Shown second (B)", "Sample", ...ASPECTS, "Reason"], data.preferences)),
  data.contaminatedBy && h("p", { class: "faint" }, `Contaminated by: ${data.contaminatedBy}.`));

function codePart(data) {
  const entries = data.texts.filter((text) => text.kind !== "joined").map((text) => ({ name: text.name, build: () => codePanel(data, text) }));
  const name = (place) => (data.texts[place].kind === "text" ? data.texts[place].name : "final").toLowerCase();
  for (const diff of data.diffs) entries.push({ name: `Compare ${name(diff.left)} → ${name(diff.right)}`, build: () => diffPanel(data, diff) });
  return section("Code", entries.length ? tabs(entries) : h("p", { class: "faint" }, "The row failed before any code was written."),
    data.moreFiles > 0 && h("p", { class: "faint" }, `The project has ${data.moreFiles} more files.`));
}

function openItem(number) {
  const data = JSON.parse(byId(`data-${number}`).textContent);
  const listed = rows.filter((row) => !row.hidden).map(numberOf);
  const place = listed.indexOf(number);
  const step = (label, other) => h("button", { type: "button", disabled: other === undefined, onclick: () => (location.hash = `item-${other}`) }, label);
  itemView.replaceChildren(...[
    h("nav", { class: "path", "aria-label": "Rows" }, h("a", { href: "#items" }, "← All rows"),
      h("span", {}, place < 0 ? null : h("small", {}, `${place + 1} of ${listed.length} `), step("← Previous", listed[place - 1]), step("Next →", place < 0 ? listed[0] : listed[place + 1]))),
    h("h1", {}, `Row ${data.row} · ${data.category} · `, h("bdi", {}, data.id)),
    h("p", { class: "text quote", dir: "auto" }, data.request?.length ? requestParts(data.request) : data.requirement || "(no requirement)"),
    data.attributes && h("p", { class: "text faint", dir: "auto" }, data.attributes),
    data.failure && h("div", { class: "alert" }, h("strong", {}, `Failed in ${data.failure[0]}: ${data.failure[1]}`), h("div", { class: "text", dir: "auto" }, data.failure[2])),
    data.methods && methodsPart(data),
    data.judgements && judgedPart(data),
    data.checks?.length > 0 && askedPart(data), data.execution && executionPart(data.execution),
    h("div", { class: "columns" },
      h("div", {}, data.plan ? planPart(data) : section("Plan", h("p", { class: "faint" }, data.methods || data.judgements ? "None is known." : "None was made."))),
      h("div", {},
        data.scores && scoreParts(data.scores),
        data.samples.length > 0 && section("Retrieved samples", table(["Rank", "Sample", "BM25", "Requirement"],
          data.samples.map(([id, rank, bm25, category, requirement]) => [rank, id, score(bm25), requirement || category]))),
        data.excluded.length > 0 && section(`Kept out by the firewall (${data.excluded.length} of ${data.allExcluded} shown)`, table(["Sample", "Reason", "Similarity"],
          data.excluded.map(([id, reason, similarity]) => [id, reason, score(similarity)]))),
        data.calls?.length > 0 && section("Calls to the language model", table(["Stage", "Prompt", "Tokens in", "Tokens out", "Ended", "Seconds", "Cost", ""],
          data.calls.map(([stage, prompt, read, written, ended, cut, seconds, cost, prefix, cached]) => [stage, prompt, prefix ? `${read} (${prefix} in prefix cache)` : read, written, ended,
            seconds === null ? "–" : seconds.toFixed(2), cost === null ? "–" : cost.toFixed(5), [cached && "from the response cache", cut && `cut: ${cut}`].filter(Boolean).join("; ")]))),
        data.choices.length > 0 && section("Where each section came from", table(["Section", "From", "Code draft", "Template draft", "Reason"],
          data.choices.map(([name, chosen, code, template, reason]) => [name, chosen, score(code), score(template), reason]))),
      )),
    codePart(data),
  ].filter(Boolean));
}

// --- Which of the two is shown: the address decides, so that "back" and links work ---

let opened = null; // the number of the row that is open
let scrolled = 0;

function route() {
  const number = Number(HASH.exec(location.hash)?.[1] ?? NaN);
  const found = byId(`data-${number}`) !== null;
  if (found) {
    if (opened === null) scrolled = scrollY;
    openItem(number);
  }
  overview.hidden = found;
  document.querySelector("header.page").hidden = found;
  itemView.hidden = !found;
  if (found) {
    scrollTo({ top: 0, behavior: "instant" });
    itemView.focus({ preventScroll: true });
  } else if (opened !== null) {
    scrollTo({ top: scrolled, behavior: "instant" });
    rows.find((row) => numberOf(row) === opened)?.querySelector("a").focus({ preventScroll: true });
  }
  opened = found ? number : null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input[type=search], select, textarea");
  if (event.key === "Escape" && opened !== null) location.hash = "items";
  else if (event.key === "/" && !typing && opened === null) byId("search").focus();
  else if (opened !== null && !typing && !event.target.closest("pre") && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    itemView.querySelectorAll(".path button")[event.key === "ArrowLeft" ? 0 : 1].click();
    return;
  } else if (opened === null && ["ArrowDown", "ArrowUp"].includes(event.key) && event.target.closest("#rows tbody, #search")) {
    moveFocus(event.key === "ArrowDown" ? 1 : -1);
  } else return;
  event.preventDefault();
});

byId("tools").addEventListener("input", filterRows);
byId("tools").addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", () => {
  byId("tools").reset();
  filterRows();
});
body.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (row && !event.target.closest("a") && !String(getSelection())) location.hash = `item-${row.dataset.number}`;
});
for (const heading of byId("rows").tHead.rows[0].cells) {
  const button = h("button", { type: "button", onclick: () => sortRows(heading) }, heading.textContent);
  heading.replaceChildren(button);
}
byId("tools").hidden = false;
addEventListener("hashchange", route);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => (details.open = true)));
filterRows();
route();

// What an opened row shows of its project's run. Texts are text nodes; figures are data the page's policy admits as images alone.

const TRAINING_HEADINGS = ["Network", "Optimizer", "Loss", "Batch", "Epochs", "Steps", "Last figures"];
const CHECK_HEADINGS = ["Said", "Wanted", "Seen in the run", "Outcome"];
const logPanel = (name, text) => [h("h3", {}, name), h("pre", { class: "log", tabindex: "0" }, h("code", {}, text))];

function figurePart([path, size, type, content]) {
  const about = h("figcaption", {}, h("bdi", {}, path), h("small", {}, ` ${Math.ceil(size / 1000)} kB${content ? "" : ", not shown"}`));
  return h("figure", {}, content && h("img", { src: `data:${type};base64,${content}`, alt: path, loading: "lazy" }), about);
}

function executionPart(run) {
  return section("Does it work", h("p", { class: "text" }, run.about),
    run.exception && h("div", { class: "alert" }, h("strong", {}, `Ended of: ${run.exception[0]}`), h("div", { class: "text", dir: "auto" }, run.exception[1]),
      run.exception[3] !== null && h("div", { class: "code-line" }, `line ${run.exception[3]} of ${run.exception[2]}: `, h("code", {}, run.exception[4]))),
    !run.exception && run.stopped && h("p", { class: "faint" }, `It was ended at its limit of ${run.stopped}.`),
    h("div", { class: "scroll" }, h("table", { class: "figures top rungs" },
      h("thead", {}, h("tr", {}, ["Rung", "Outcome", "Line", "Seen"].map((heading) => h("th", { scope: "col" }, heading)))),
      h("tbody", {}, run.rungs.map(([rung, outcome, said, line, seen]) => h("tr", {},
        h("td", {}, rung), h("td", { class: `rung ${outcome}` }, said), h("td", {}, line ?? ""), h("td", {}, h("bdi", {}, seen))))))),
    run.trainings.length > 0 && h("h3", {}, "Training as it was observed"),
    run.trainings.length > 0 && table(TRAINING_HEADINGS, run.trainings),
    run.checks.length > 0 && h("h3", {}, "Plan and request in the run"),
    run.checks.length > 0 && table(CHECK_HEADINGS, run.checks),
    run.stderr && logPanel("The end of its errors", run.stderr),
    run.stdout && logPanel("The end of its output", run.stdout),
    run.plots.length > 0 && h("h3", {}, "Figures that it saved"),
    run.plots.length > 0 && h("div", { class: "plots" }, run.plots.map(figurePart)));
}

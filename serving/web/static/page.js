// The page without this script is whole; with it a project is shown as it grows, and a CSV is described in the browser.
// What the server sends as a part of the page is escaped there; nothing else enters the page but text.
"use strict";

const project = document.getElementById("project");
if (project && "live" in project.dataset) follow(project);

function follow(element) {
  const address = `/projects/${element.dataset.id}`;
  const events = new EventSource(`/v1${address}/events`);
  const names = ["request.read", "plan.completed", "samples.retrieved", "template.completed", "draft.completed",
    "comparison.completed", "delivery.checked"];
  const last = ["project.completed", "project.failed", "project.cancelled"];
  let [loading, again] = [false, false];

  async function show() {
    if (loading) return void (again = true);
    loading = true;
    do {
      again = false;
      const answer = await fetch(`${address}?part`, { headers: { Accept: "text/html" } });
      // A field that somebody is typing in stays as it is until the project has ended.
      const typing = element.contains(document.activeElement) && document.activeElement.matches("input, textarea");
      if (answer.ok && !typing) element.innerHTML = await answer.text();
    } while (again);
    loading = false;
  }

  for (const name of names) events.addEventListener(name, show);
  for (const name of last) {
    events.addEventListener(name, () => {
      events.close();
      show();
    });
  }
}

const ask = document.getElementById("ask");
ask?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask.requestSubmit();
});
ask?.addEventListener("submit", () => {
  ask.querySelector("button.main").textContent = "Beginning …";
});

const sample = document.getElementById("sample");
if (sample) {
  sample.closest("label").hidden = false;
  document.getElementById("sample-note").hidden = false;
  sample.addEventListener("change", async () => {
    const file = sample.files[0];
    if (!file) return;
    const field = document.getElementById("attributes");
    const described = describe(await file.slice(0, 1_000_000).text(), file);
    field.value = [field.value.trim(), described].filter(Boolean).join("\n");
    field.focus();
  });
}

// What a table holds, in words: columns with their kinds, and about how many rows. No value of it.
function describe(text, file) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  const separator = [",", ";", "\t"].sort((a, b) => lines[0].split(b).length - lines[0].split(a).length)[0];
  const rows = lines.map((line) => line.split(separator).map((cell) => cell.trim().replace(/^"|"$/g, "")));
  const body = rows.slice(1, 2001);
  const columns = rows[0].map((name, place) => {
    const values = body.map((row) => row[place] ?? "").filter(Boolean);
    const numbers = values.length > 0 && values.every((value) => !Number.isNaN(Number(value)));
    const distinct = new Set(values).size;
    return `${name} (${numbers ? "number" : distinct <= 20 ? `${distinct} different values` : "text"})`;
  });
  const share = Math.max(file.size / Math.max(text.length, 1), 1);
  const count = Math.max(Math.round((lines.length - 1) * share), 0);
  return `A table of about ${count} rows with the columns ${columns.join(", ")}.`;
}

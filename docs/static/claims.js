// Filters for the table of claims. Without this script the table stands as it is.
"use strict";

const table = document.querySelector(".kl-claims");
if (table) {
  const rows = [...table.querySelectorAll("tr[data-verdict]")];
  const titles = new Map([...table.querySelectorAll(".kl-section")].map((row) => [row.dataset.section, row.innerText]));
  const inSection = (row, section) => `${row.dataset.section}.`.startsWith(`${section}.`);
  const filters = [
    { name: "section", label: "Section", options: sections(), test: inSection, show: (value) => titles.get(value) ?? `§${value}` },
    { name: "system", label: "System", options: values("system"), test: (row, value) => row.dataset.system === value },
    { name: "verdict", label: "Verdict", options: values("verdict"), test: (row, value) => row.dataset.verdict === value },
  ];

  function values(name) {
    return [...new Set(rows.map((row) => row.dataset[name]).filter(Boolean))].sort();
  }

  // Every section and those that contain it: 5.3.1 brings 5.3 and 5. In the order of their numbers.
  function sections() {
    const all = new Set();
    for (const { section } of rows.map((row) => row.dataset)) {
      const parts = section.split(".");
      parts.forEach((_, index) => all.add(parts.slice(0, index + 1).join(".")));
    }
    return [...all].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  }

  const form = document.createElement("form");
  form.className = "kl-filters";
  const field = (name, text, control) => {
    const label = Object.assign(document.createElement("label"), { htmlFor: `claims-${name}`, textContent: text });
    const box = document.createElement("div");
    box.append(label, Object.assign(control, { id: `claims-${name}`, name }));
    form.append(box);
  };
  for (const { name, label, options, show } of filters) {
    const select = document.createElement("select");
    select.add(new Option("all", ""));
    for (const value of options) select.add(new Option(show?.(value) ?? value, value));
    field(name, label, select);
  }
  field("words", "Words", Object.assign(document.createElement("input"), { type: "search" }));
  const reset = Object.assign(document.createElement("button"), { type: "reset", textContent: "Show all" });
  const count = document.createElement("p");
  count.setAttribute("role", "status");
  form.append(reset, count);
  table.before(form);

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    const text = wanted.words.trim().toLowerCase();
    for (const row of rows) {
      const chosen = filters.every(({ name, test }) => !wanted[name] || test(row, wanted[name]));
      row.hidden = !(chosen && row.textContent.toLowerCase().includes(text));
    }
    for (const section of table.tBodies) section.hidden = ![...section.rows].some((row) => row.id && !row.hidden);
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${rows.length} statements`;
    table.hidden = shown === 0;
  }

  // `#verdict=wrong&section=5.3` chooses; `#5.3-failover` is a row, which must not be filtered away.
  function fromAddress() {
    const hash = decodeURIComponent(location.hash.slice(1));
    if (!hash.includes("=")) {
      if (document.getElementById(hash)?.hidden) form.reset();
      filter();
      return;
    }
    const wanted = new URLSearchParams(hash);
    for (const control of form.elements) if (control.name) control.value = wanted.get(control.name) ?? "";
    filter();
    form.scrollIntoView();
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
}

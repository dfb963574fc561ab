// A prediction's options become answerable; the answer opens the fold, and comes back beside the outcome.
// Without this script the question stands as text, and the fold opens like any other <details>.
"use strict";

const kept = {
  // A page opened from a file, or in a private window, may have no storage: then an answer lasts as long as the page.
  get(question) {
    try { return localStorage.getItem(`kafka-lab-prediction ${question}`); } catch { return null; }
  },
  set(question, letter) {
    try { localStorage.setItem(`kafka-lab-prediction ${question}`, letter); } catch { /* see above */ }
  },
};

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const letterOf = (text) => /^\s*\(([a-z])\)/.exec(text)?.[1] ?? null;

// The cell of the question that a fold belongs to: the last one before it.
function cellOf(fold) {
  const before = [...document.querySelectorAll(".kl-question")];
  return before.filter((cell) => cell.compareDocumentPosition(fold) & Node.DOCUMENT_POSITION_FOLLOWING).pop();
}

function makeAnswerable(fold) {
  const question = fold.dataset.question;
  const list = cellOf(fold)?.querySelector(".cell_output ul");
  if (!list) return;
  const said = list.nextElementSibling;
  const options = [...list.querySelectorAll("li")].map((item) => {
    const radio = element("input", { type: "radio", name: `prediction ${question}`, value: letterOf(item.textContent) });
    return element("label", {}, radio, element("span", { textContent: item.textContent }));
  });
  const answer = element("button", { type: "submit", textContent: "Answer" });
  const legend = element("legend", { textContent: "Your answer", className: "kl-unseen" });
  const fields = element("fieldset", {}, legend, ...options, answer);
  const form = element("form", { className: "kl-options" }, fields);
  list.replaceWith(form);

  const status = element("p", { className: "kl-said", tabIndex: -1 });
  status.setAttribute("role", "status");
  (said ?? form).replaceWith(...(said ? [status] : [form, status]));
  status.textContent = "Choose one and answer, or skip: open what follows.";

  const settle = (letter) => {
    for (const radio of form.querySelectorAll("input")) radio.checked = radio.value === letter;
    fields.disabled = true;
    fold.open = true;
    status.textContent = `You predicted (${letter}). The cluster answers below.`;
    compare(question, letter, options);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const letter = new FormData(form).get(`prediction ${question}`);
    if (letter === null) {
      status.textContent = "Choose one first, or skip: open what follows.";
      return;
    }
    kept.set(question, letter);
    settle(letter);
    status.focus();
  });
  const earlier = kept.get(question);
  if (options.some((option) => option.querySelector("input").value === earlier)) settle(earlier);
}

// The outcome's card was made without a reader: put this one's prediction there.
function compare(question, letter, options) {
  const outcome = document.getElementById(`outcome-of-${question}`);
  const verdict = outcome?.querySelector(".cell_output strong");
  const happened = letterOf(outcome?.querySelector(".cell_output p")?.textContent ?? "");
  if (!verdict || !happened) return;
  const predicted = options.find((option) => option.querySelector("input").value === letter).textContent;
  verdict.textContent =
    happened === letter ? `✓ You predicted (${letter}), and so it was.` : `✗ You predicted: ${predicted}`;
}

for (const fold of document.querySelectorAll(".kl-fold")) makeAnswerable(fold);

// A link to what is folded skips the question.
function revealTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let fold = target.closest(".kl-fold"); fold; fold = fold.parentElement.closest(".kl-fold")) fold.open = true;
  target.scrollIntoView();
}
window.addEventListener("hashchange", revealTarget);
revealTarget();

// On paper nothing can be opened.
window.addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll(".kl-fold")) fold.open = true;
});

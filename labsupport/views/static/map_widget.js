// The live cluster map: draws what the kernel sends, and tells the kernel which button was pressed and what was drawn.

import { clusterMap } from "./cluster_map.js";
import { element, set } from "./dom.js";

const STEP_MS_OF_RATE = 500;
const ANSWER_MS = 3000;
const MOVES = ["now", "note", "ended"];

function render({ model, el }) {
  const map = clusterMap({ press });
  const { root } = map;
  const note = element("p", { class: "kl-note", "data-testid": "map-note", "aria-live": "polite" });
  const error = element("p", { class: "kl-error", "data-testid": "map-error", role: "alert" });
  const end = element("p", { class: "kl-end", "data-testid": "map-end" });
  root.dataset.connected = "false";
  root.append(note, error, end);
  el.append(root);

  const doing = new Map();
  let asked = 0;
  let connected = false;
  let silent = false; // the page was opened again without its kernel, or a cell keeps an old kernel from answering
  let drawn = 0;
  const waiting = new Map(); // click number -> [time of the click, timer]

  function press(what, node) {
    asked += 1;
    const timer = setTimeout(() => {
      set(error, "The kernel has not answered yet. If a cell is running, the button takes effect when it ends.");
    }, ANSWER_MS);
    waiting.set(asked, [performance.now(), timer]);
    doing.set(node.i, what);
    set(error, "");
    model.send({ do: what, node: node.i, click: asked });
    move();
  }

  function lay() {
    map.lay(model.get("plan"));
    move();
  }

  function move() {
    const now = model.get("now");
    map.show(now, { doing, usable: connected && !model.get("ended") });
    set(note, model.get("note"));
    set(end, model.get("ended") || (silent ? "No kernel answers: this is what was last known. The buttons are off." : ""));
    root.dataset.ended = String(Boolean(model.get("ended")));
    if (connected && (now.d ?? 0) > drawn) {
      drawn = now.d;
      requestAnimationFrame(() => setTimeout(() => model.send({ do: "drawn", number: drawn }))); // once it is painted
    }
  }

  function heard(message) {
    if (message.what === "hello") {
      connected = true;
      silent = false;
      root.dataset.connected = "true";
    } else if (message.what === "got" && waiting.has(message.click)) {
      const [at, timer] = waiting.get(message.click);
      clearTimeout(timer);
      waiting.delete(message.click);
      root.dataset.answerMs = (performance.now() - at).toFixed(0);
      if (message.error) doing.delete(message.node);
      set(error, message.error ?? "");
    } else if (message.what === "done") {
      doing.delete(message.node);
      set(error, message.error ?? "");
    }
    move();
  }

  model.on("change:plan", lay);
  for (const trait of MOVES) model.on(`change:${trait}`, move);
  model.on("msg:custom", heard);
  const clock = setInterval(() => {
    if (!model.get("ended") && !silent) map.step();
  }, STEP_MS_OF_RATE);
  const patience = setTimeout(() => {
    silent = !connected;
    move();
  }, ANSWER_MS);
  lay();
  model.send({ do: "hello" });

  return () => {
    clearInterval(clock);
    clearTimeout(patience);
    for (const [, timer] of waiting.values()) clearTimeout(timer);
    model.off("change:plan", lay);
    for (const trait of MOVES) model.off(`change:${trait}`, move);
    model.off("msg:custom", heard);
    model.send({ do: "bye" });
  };
}

export default { render };

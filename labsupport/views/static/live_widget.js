// A picture that the kernel draws anew while its cluster runs; when that has ended it becomes a replay.

import { element, set } from "./dom.js";
import { logStrip } from "./log_strip.js";
import { replay } from "./replay.js";
import { svgOf } from "./timeline.js";

const LIVE = {
  log() {
    const strip = logStrip("a partition");
    return { root: strip.root, show: strip.show };
  },
  timeline() {
    const root = element("div", { class: "kl-timeline", "data-testid": "timeline" });
    return { root, show: (state) => root.replaceChildren(svgOf(state.svg ?? "")) };
  },
};

function render({ model, el }) {
  const picture = LIVE[model.get("kind")]();
  const caption = element("p", { class: "kl-caption" });
  const end = element("p", { class: "kl-end", "data-testid": "view-end" });
  const root = element("section", { class: "kl-view", "data-testid": "live-view" }, picture.root, caption, end);
  let replayed = null;

  function move() {
    const state = model.get("state");
    picture.show(state);
    set(caption, state.caption ?? "");
    set(end, model.get("ended"));
  }

  function finish() {
    replayed?.stop();
    replayed = replay(model.get("kind"), model.get("story"));
    el.replaceChildren(replayed.root);
  }

  el.append(root);
  model.on("change:state", move);
  model.on("change:ended", move);
  model.on("change:story", finish);
  if (Object.keys(model.get("story")).length) finish();
  else move();
  model.send({ do: "hello" });

  return () => {
    replayed?.stop();
    model.off("change:state", move);
    model.off("change:ended", move);
    model.off("change:story", finish);
    model.send({ do: "bye" });
  };
}

export default { render };

// The live chart: points come as messages, each once; when the cluster has closed it becomes a replay.

import { chart } from "./chart.js";
import { element, set } from "./dom.js";
import { replay } from "./replay.js";

function render({ model, el }) {
  let drawn = chart(model.get("plan"));
  const end = element("p", { class: "kl-end", "data-testid": "view-end" });
  el.append(element("section", { class: "kl-view", "data-testid": "live-chart" }, drawn.root, end));

  function heard(message) {
    if (message.what !== "more") return;
    if (message.from > drawn.have().points) hello(); // something was missed
    else drawn.more(message);
  }

  function hello() {
    model.send({ do: "hello", ...drawn.have() });
  }

  function tell() {
    set(end, model.get("ended"));
  }

  function finish() {
    drawn.stop();
    drawn = replay("chart", model.get("story"));
    el.replaceChildren(drawn.root);
  }

  model.on("msg:custom", heard);
  model.on("change:ended", tell);
  model.on("change:story", finish);
  if (Object.keys(model.get("story")).length) finish();
  else hello();

  return () => {
    model.off("msg:custom", heard);
    model.off("change:ended", tell);
    model.off("change:story", finish);
    drawn.stop();
    model.send({ do: "bye" });
  };
}

export default { render };

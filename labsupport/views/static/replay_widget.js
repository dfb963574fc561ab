// A replay in a notebook: all of it is in the model, so it works on when the kernel is gone.

import { replay } from "./replay.js";

function render({ model, el }) {
  const made = replay(model.get("kind"), model.get("story"));
  el.append(made.root);
  return made.stop;
}

export default { render };

// In a page without a kernel: every [data-kafka-lab-replay] becomes a replay. Without this script its still picture stays.

import { KINDS, replay } from "./replay.js";

function hydrate(page) {
  for (const place of page.querySelectorAll("[data-kafka-lab-replay]:not([data-hydrated])")) {
    const kind = place.dataset.kafkaLabReplay;
    const story = place.querySelector('script[type="application/json"]');
    if (!story || !Object.hasOwn(KINDS, kind)) continue;
    place.dataset.hydrated = "true";
    place.replaceChildren(replay(kind, JSON.parse(story.textContent), place).root);
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => hydrate(document));
else hydrate(document);

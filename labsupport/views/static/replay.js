// Replays: a Recording's frames, made by Python, drawn by the code that draws live, with a scrubber under them.

import { chart } from "./chart.js";
import { clusterMap, ratesBefore } from "./cluster_map.js";
import { element } from "./dom.js";
import { logStrip } from "./log_strip.js";
import { scrubber } from "./scrubber.js";
import { svgOf, timeline } from "./timeline.js";

// Each kind: from a story, and the still picture where there is one, to what draws a moment.
export const KINDS = {
  map(story) {
    const map = clusterMap();
    const at = latest(story.frames);
    let laid = null;
    let shown = null;
    let most = 0;

    // The slider stays where it is when a partition comes or goes.
    function keepPlace() {
      most = Math.max(most, map.root.offsetHeight);
      if (most) map.root.style.minHeight = `${most}px`;
    }

    requestAnimationFrame(keepPlace); // it is on the page then, in its last state
    return {
      root: map.root,
      stops: story.frames.map(([t]) => t),
      show(t) {
        const state = at(t);
        if (state.l !== laid) map.lay(story.plans[state.l]);
        if (state !== shown) map.show(state);
        map.past(ratesBefore(story.frames, t));
        keepPlace();
        laid = state.l;
        shown = state;
      },
    };
  },
  chart(story) {
    return chart(story, { begin: story.begin, end: story.end });
  },
  log(story) {
    const strip = logStrip(story.name);
    const at = latest(story.frames);
    return { root: strip.root, stops: story.frames.map(([t]) => t), show: (t) => strip.show(at(t)) };
  },
  timeline(story, still) {
    const made = timeline(still?.querySelector("svg") ?? svgOf(story.svg ?? ""));
    return { ...made, stops: [] };
  },
};

// From frames [[t, state], ...] in the order of time to the state at a moment.
export function latest(frames) {
  return (t) => {
    let [low, high] = [0, frames.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (frames[middle][0] <= t + 1e-6) low = middle;
      else high = middle - 1;
    }
    return frames[low]?.[1] ?? {};
  };
}

// Figures under a picture: the first row is the head, the first column names the rows.
function tableOf(rows) {
  if (!rows.length) return [];
  const lines = rows.map((row, line) => {
    const cells = row.map((word, column) => {
      const scope = line === 0 ? { scope: "col" } : { scope: "row" };
      const cell = line === 0 || column === 0 ? element("th", scope) : element("td");
      cell.textContent = word;
      return cell;
    });
    return element("tr", {}, ...cells);
  });
  return [element("div", { class: "kl-figures" }, element("table", {}, element("tbody", {}, ...lines)))];
}

export function replay(kind, story, still = null) {
  const picture = KINDS[kind](story, still);
  const time = scrubber(story, picture.stops, picture.show);
  const caption = element("p", { class: "kl-caption", "data-testid": "replay-caption" });
  caption.textContent = story.caption ?? "";
  const root = element(
    "section",
    { class: "kl-replay", "data-testid": "replay", "data-kind": kind, "aria-label": `Replay: ${story.title ?? ""}` },
    picture.root,
    time.root,
    ...tableOf(story.table ?? []),
    caption,
  );
  const [left, right] = picture.axis ?? ["8px", "8px"];
  root.style.setProperty("--kl-left", left); // the slider's time lies under the picture's
  root.style.setProperty("--kl-right", right);
  return {
    root,
    stop() {
      time.stop();
      picture.stop?.();
    },
  };
}

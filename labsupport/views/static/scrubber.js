// Time under a picture: play and pause, speed, a slider, what happened when. It knows nothing of what is drawn.

import { element, set, wantsStillness } from "./dom.js";

const SPEEDS = [0.25, 0.5, 1, 2, 5, 20];
const STILL_STEP_MS = 500; // without motion the picture changes twice a second
const SHOWN = 200; // marks

export function seconds(t) {
  return `${t.toFixed(1)} s`;
}

// `story`: begin and end in seconds; marks [[t, words, role], ...] and faults [[begin, end, words], ...], both in the
// order of time. `stops`: the moments at which the picture changes. `draw(t)` is called for each moment shown.
export function scrubber(story, stops, draw) {
  const { begin, end } = story;
  const marks = story.marks ?? [];
  const length = Math.max(end - begin, 0.001);
  const moments = [...new Set([begin, ...stops, ...marks.map(([t]) => t), end])]
    .filter((t) => t >= begin && t <= end)
    .sort((a, b) => a - b);
  let now = end;
  let playing = 0; // the handle of what comes next, while it plays
  let last = 0;

  const play = element("button", { type: "button", class: "kl-play", "data-testid": "replay-play" });
  const slider = element("input", {
    type: "range", min: begin, max: end, step: "any", "aria-label": "Time", "data-testid": "replay-time",
  });
  const speed = element("select", { "data-testid": "replay-speed" });
  for (const factor of SPEEDS) {
    const option = element("option", { value: factor });
    option.textContent = `${factor}×`;
    option.selected = factor === 1;
    speed.append(option);
  }
  const clock = element("span", { class: "kl-clock", "data-testid": "replay-clock" });
  const note = element("p", { class: "kl-note", "data-testid": "replay-note" });
  const track = element("div", { class: "kl-track", "aria-hidden": "true" });
  for (const [from, to, words] of story.faults ?? []) track.append(shade(from, to, words));
  for (const [t, words, role] of marks.slice(0, SHOWN)) track.append(tick(t, words, role));
  const head = element("div", { class: "kl-head-line", "aria-hidden": "true" });
  track.append(head);
  const root = element(
    "div",
    { class: "kl-scrubber", "data-testid": "scrubber" },
    element("div", { class: "kl-rail" }, track, slider),
    element("div", { class: "kl-controls" }, play, element("label", {}, "Speed ", speed), clock),
    note,
    happened(),
  );

  function place(t) {
    return `${((Math.min(Math.max(t, begin), end) - begin) / length) * 100}%`;
  }

  function shade(from, to, words) {
    const made = element("span", { class: "kl-shade", title: words });
    made.style.left = place(from);
    made.style.right = `calc(100% - ${place(to)})`;
    return made;
  }

  function tick(t, words, role) {
    const made = element("span", { class: "kl-tick", "data-role": role, title: `${seconds(t)}: ${words}` });
    made.style.left = place(t);
    return made;
  }

  // The marks as a list: for those who do not see the track, and a way to each moment.
  function happened() {
    if (!marks.length) return "";
    const list = element("ol");
    for (const [t, words] of marks.slice(0, SHOWN)) {
      const jump = element("button", { type: "button" });
      jump.textContent = `${seconds(t)}: ${words}`;
      jump.addEventListener("click", () => go(t));
      list.append(element("li", {}, jump));
    }
    const summary = element("summary");
    const more = marks.length > SHOWN ? `, the first ${SHOWN} of ${marks.length}` : ` (${marks.length})`;
    summary.textContent = `What happened${more}`;
    return element("details", { class: "kl-happened" }, summary, list);
  }

  function show(t) {
    now = Math.min(Math.max(t, begin), end);
    draw(now);
    slider.value = String(now);
    head.style.left = place(now);
    const before = marks.filter(([at]) => at <= now + 1e-6);
    const words = before.length ? before[before.length - 1][1] : "";
    set(clock, `${seconds(now)} of ${seconds(end)}`);
    set(note, words);
    slider.setAttribute("aria-valuetext", words ? `${seconds(now)}, ${words}` : seconds(now));
  }

  function word() {
    set(play, playing ? "Pause" : "Play");
    root.dataset.playing = String(Boolean(playing));
  }

  function next() {
    const still = wantsStillness();
    const step = () => {
      const time = performance.now();
      show(now + ((time - last) / 1000) * Number(speed.value));
      last = time;
      if (now >= end) pause();
      else next();
    };
    playing = still ? setTimeout(step, STILL_STEP_MS) : requestAnimationFrame(step);
  }

  function start() {
    if (now >= end) show(begin);
    last = performance.now();
    next();
    word();
  }

  function pause() {
    clearTimeout(playing);
    cancelAnimationFrame(playing);
    playing = 0;
    word();
  }

  function toggle() {
    if (playing) pause();
    else start();
  }

  function go(t) {
    pause();
    show(t);
  }

  const KEYS = {
    ArrowRight: () => go(moments.find((t) => t > now + 1e-6) ?? end),
    ArrowLeft: () => go([...moments].reverse().find((t) => t < now - 1e-6) ?? begin),
    Home: () => go(begin),
    End: () => go(end),
    " ": toggle,
  };
  KEYS.ArrowUp = KEYS.ArrowRight;
  KEYS.ArrowDown = KEYS.ArrowLeft;

  root.addEventListener("keydown", (event) => {
    const own = event.target.tagName === "SELECT" || (event.key === " " && event.target !== slider);
    if (own || !KEYS[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has keys of its own
    KEYS[event.key]();
  });
  play.addEventListener("click", toggle);
  slider.addEventListener("input", () => go(Number(slider.value)));
  word();
  show(end);
  return { root, stop: pause };
}

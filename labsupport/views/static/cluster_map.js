// The cluster map: a box a broker, a row a partition. It draws what it is given and asks for nothing; the same drawing
// moves live (map_widget.js) and through a replay (replay.js).

import { drawing, element, set } from "./dom.js";

const STATES = {
  r: ["running", "running"],
  p: ["paused", "paused"],
  s: ["stopped", "stopped"],
  g: ["starting", "starting"],
  w: ["waiting", "waiting for its old session to expire"],
};
const DOING = { kill: "being killed", start: "starting", pause: "being paused", resume: "being resumed" };
const WINDOW_S = 30;
const STEP_MS = 500;

// Shapes differ as well as colours: a filled diamond leads, a filled disc is in sync, a broken ring is not.
const SHAPES = {
  leader: () => drawing("path", { d: "M8 1.5 L14.5 8 L8 14.5 L1.5 8 Z", class: "kl-leader" }),
  "in sync": () => drawing("circle", { cx: 8, cy: 8, r: 5, class: "kl-follower" }),
  "not in sync": () => drawing("circle", { cx: 8, cy: 8, r: 5, class: "kl-broken" }),
  running: () => drawing("circle", { cx: 8, cy: 8, r: 5, class: "kl-follower" }),
  paused: () => drawing("path", { d: "M5.5 3 V13 M10.5 3 V13", class: "kl-bars" }),
  stopped: () => drawing("path", { d: "M3.5 3.5 L12.5 12.5 M12.5 3.5 L3.5 12.5", class: "kl-cross" }),
  starting: () => drawing("circle", { cx: 8, cy: 8, r: 5, class: "kl-ring" }),
  waiting: () => drawing("circle", { cx: 8, cy: 8, r: 5, class: "kl-ring" }),
};

function mark(shape) {
  return drawing("svg", { viewBox: "0 0 16 16", class: "kl-mark", "aria-hidden": "true" }, SHAPES[shape]());
}

function roleOf(node, replicas, [leader, isr]) {
  if (node === leader) return "leader";
  if (isr.includes(node)) return "in sync";
  return replicas.includes(node) ? "not in sync" : "";
}

// A broker's box: state, tasks, and (where it can be pressed) two buttons that keep their place, and so the focus.
function box(node, press) {
  const icon = element("span", { class: "kl-icon" });
  const word = element("span", { "data-testid": `state-of ${node.n}` });
  const task = element("div", { class: "kl-task", "data-testid": `task-of ${node.n}` });
  const first = element("button", { type: "button" });
  const second = element("button", { type: "button" });
  for (const button of [first, second]) {
    button.addEventListener("click", (event) => {
      const ready = button.getAttribute("aria-disabled") !== "true" && event.detail < 2; // not a double click's second
      if (ready) press(button.dataset.do, node);
    });
  }
  const name = element("div", { class: "kl-name" });
  name.textContent = node.n;
  const pressed = press && node.k === "broker";
  const buttons = pressed ? [element("div", { class: "kl-buttons" }, first, second)] : [];
  const root = element(
    node.k === "broker" ? "th" : "div",
    { class: "kl-box", "data-testid": node.n, ...(node.k === "broker" ? { scope: "col" } : {}) },
    name,
    element("div", { class: "kl-state" }, icon, word),
    task,
    ...buttons,
  );

  function button(target, what, enabled) {
    if (target.dataset.do !== what) {
      target.dataset.do = what;
      target.dataset.testid = `${what}-${node.i}`;
      target.textContent = what[0].toUpperCase() + what.slice(1);
      target.setAttribute("aria-label", `${target.textContent} broker ${node.i}`);
    }
    target.setAttribute("aria-disabled", String(!enabled));
  }

  function show(letter, controls, doing, usable) {
    const [state, words] = STATES[letter] ?? STATES.s;
    if (root.dataset.state !== state) {
      root.dataset.state = state;
      icon.replaceChildren(mark(state));
    }
    set(word, doing ? DOING[doing] : words);
    root.dataset.controller = String(controls);
    set(task, controls ? "★ controller" : node.v && node.k === "broker" ? "votes" : "");
    const up = state === "running" || state === "paused";
    button(first, up ? "kill" : "start", usable && !doing && (up || state === "stopped"));
    button(second, state === "paused" ? "resume" : "pause", usable && !doing && up);
  }

  return { root, show };
}

// One partition: a row with a mark and a word under each broker.
function row(part, nodes) {
  const label = `${part.t}-${part.p}`;
  const leader = element("span", { "data-testid": `leader-of ${label}` });
  const name = element("span", { class: "kl-part" });
  name.textContent = label;
  const cells = nodes.map((node) => element("td", { "data-testid": `${label} on ${node.n}` }));
  const led = element("div", { class: "kl-led" }, "led by ", leader);
  const root = element("tr", { "data-testid": `partition ${label}` }, element("th", { scope: "row" }, name, led), ...cells);

  function show(moving) {
    const who = nodes.find((node) => node.i === moving[0]);
    const text = who ? who.n : moving[0] === null ? "nobody" : `broker-${moving[0]}`;
    set(leader, text);
    leader.dataset.leader = moving[0] === null ? "" : String(moving[0]);
    root.dataset.isr = moving[1].join(",");
    nodes.forEach((node, index) => {
      const role = roleOf(node.i, part.r, moving);
      const cell = cells[index];
      if (cell.dataset.role === role) return;
      const first = cell.dataset.role === undefined;
      cell.dataset.role = role;
      cell.replaceChildren(...(role ? [mark(role), element("span", {}, role)] : []));
      cell.classList.remove("kl-changed");
      if (!first) {
        void cell.offsetWidth; // lets the animation start again
        cell.classList.add("kl-changed");
      }
    });
  }

  return { root, show };
}

// Records a second: a number and its last half minute. The line moves on also when the number stays.
function meter() {
  const line = drawing("path", { class: "kl-line" });
  const area = drawing("path", { class: "kl-area" });
  const chart = drawing("svg", { viewBox: "0 0 120 24", class: "kl-spark", role: "img" }, area, line);
  const number = element("b", { "data-testid": "records-per-s" });
  const root = element("div", { class: "kl-meter" }, chart, number, element("span", {}, " records/s"));
  let values = [];
  let last = null;

  function draw() {
    const steps = (WINDOW_S * 1000) / STEP_MS;
    const usual = values.filter((value) => value > 0).sort((a, b) => a - b);
    const most = Math.max(1, ...values);
    const top = Math.min(most, 3 * (usual[usual.length >> 1] ?? most)); // one burst must not flatten the rest
    const points = values.map((value, index) => {
      const x = 120 - ((values.length - 1 - index) * 120) / steps;
      return `${x.toFixed(1)},${(22 - (20 * Math.min(value, top)) / top).toFixed(1)}`;
    });
    line.setAttribute("d", points.length > 1 ? `M${points.join("L")}` : "");
    const start = points.length ? points[0].split(",")[0] : "120";
    area.setAttribute("d", points.length > 1 ? `M${start},22L${points.join("L")}L120,22Z` : "");
    chart.setAttribute("aria-label", `records a second, the last ${WINDOW_S} s: now ${last ?? 0}, at most ${most}`);
  }

  return {
    root,
    show(value) {
      last = value;
      set(number, value === null ? "–" : value.toLocaleString("en"));
    },
    step() {
      if (last === null) return;
      values.push(last);
      if (values.length > (WINDOW_S * 1000) / STEP_MS + 1) values.shift();
      draw();
    },
    past(numbers) {
      values = numbers;
      draw();
    },
  };
}

// `press(deed, node)` makes buttons; without it nothing on the map can be pressed.
export function clusterMap({ press = null } = {}) {
  const heading = element("strong", { class: "kl-title", "data-testid": "map-title" });
  const rate = meter();
  const head = element("tr");
  const body = element("tbody");
  const table = element("table", {}, element("thead", {}, head), body);
  const others = element("div", { class: "kl-others" });
  const root = element(
    "section",
    { class: "kl-map", "data-testid": "cluster-map" },
    element("div", { class: "kl-head" }, heading, rate.root),
    element("div", { class: "kl-scroll" }, table),
    others,
  );
  let nodes = [];
  let boxes = [];
  let rows = [];

  function lay(plan) {
    nodes = plan.nodes ?? [];
    const brokers = nodes.filter((node) => node.k === "broker");
    set(heading, plan.title ?? "");
    root.setAttribute("aria-label", `Cluster map: ${plan.title ?? ""}`);
    boxes = nodes.map((node) => box(node, press));
    head.replaceChildren(
      element("td", { class: "kl-corner" }),
      ...boxes.filter((_, index) => nodes[index].k === "broker").map((made) => made.root),
    );
    const apart = boxes.filter((_, index) => nodes[index].k !== "broker").map((made) => made.root);
    others.replaceChildren(...apart);
    rows = (plan.parts ?? []).map((part) => row(part, brokers));
    body.replaceChildren(...rows.map((made) => made.root));
    if (plan.hidden) {
      const more = element("td", { colspan: brokers.length + 1, class: "kl-more" });
      more.textContent = `and ${plan.hidden} more partitions`;
      body.append(element("tr", {}, more));
    }
  }

  // `doing`: node id -> what was asked of it and is not finished. `usable`: whether buttons work.
  function show(now, { doing = new Map(), usable = false } = {}) {
    boxes.forEach((made, index) => {
      const node = nodes[index];
      const controls = node.k !== "zookeeper" && node.i === now.c; // a ZooKeeper server may bear a broker's number
      const pending = node.k === "broker" ? doing.get(node.i) : undefined;
      made.show((now.s ?? "")[index] ?? "s", controls, pending, usable);
    });
    rows.forEach((made, index) => made.show((now.p ?? [])[index] ?? [null, []]));
    rate.show(now.r ?? null);
  }

  return { root, lay, show, step: rate.step, past: rate.past };
}

// Records a second in the half minute before `t`, from frames [[t, state], ...], as the meter wants them.
export function ratesBefore(frames, t) {
  const steps = (WINDOW_S * 1000) / STEP_MS;
  const values = [];
  let at = 0;
  let value = null;
  for (let step = steps; step >= 0; step -= 1) {
    const until = t - (step * STEP_MS) / 1000;
    while (at < frames.length && frames[at][0] <= until) value = frames[at++][1].r;
    if (value !== null && value !== undefined) values.push(value);
  }
  return values;
}

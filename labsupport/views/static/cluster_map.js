// The live cluster map: plain DOM and SVG. It draws what the kernel sends and asks for nothing else.
// Text from a cluster is only ever set with textContent or setAttribute: a name cannot become markup.

const SVG = "http://www.w3.org/2000/svg";
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
const ANSWER_MS = 3000;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

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

// A broker's box: state, tasks, and two buttons that keep their place (and so the keyboard's focus).
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
  const buttons = node.k === "broker" ? [element("div", { class: "kl-buttons" }, first, second)] : [];
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
  const values = [];
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
  };
}

function render({ model, el }) {
  const heading = element("strong", { class: "kl-title", "data-testid": "map-title" });
  const rate = meter();
  const head = element("tr");
  const body = element("tbody");
  const table = element("table", {}, element("thead", {}, head), body);
  const others = element("div", { class: "kl-others" });
  const note = element("p", { class: "kl-note", "data-testid": "map-note", "aria-live": "polite" });
  const error = element("p", { class: "kl-error", "data-testid": "map-error", role: "alert" });
  const end = element("p", { class: "kl-end", "data-testid": "map-end" });
  const root = element(
    "section",
    { class: "kl-map", "data-testid": "cluster-map", "data-connected": "false" },
    element("div", { class: "kl-head" }, heading, rate.root),
    element("div", { class: "kl-scroll" }, table),
    others, note, error, end,
  );
  el.append(root);

  const doing = new Map(); // node id -> what was asked of it and is not finished
  let boxes = [];
  let rows = [];
  let asked = 0;
  let connected = false;
  let silent = false; // the page was opened again without its kernel, or a cell keeps an old kernel from answering
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
    const plan = model.get("plan");
    const nodes = plan.nodes ?? [];
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
    move();
  }

  function move() {
    const now = model.get("now");
    const nodes = model.get("plan").nodes ?? [];
    const usable = connected && !model.get("ended");
    boxes.forEach((made, index) => {
      const node = nodes[index];
      const controls = node.k !== "zookeeper" && node.i === now.c; // a ZooKeeper server may bear a broker's number
      const pending = node.k === "broker" ? doing.get(node.i) : undefined;
      made.show((now.s ?? "")[index] ?? "s", controls, pending, usable);
    });
    rows.forEach((made, index) => made.show((now.p ?? [])[index] ?? [null, []]));
    rate.show(now.r ?? null);
    set(note, model.get("note"));
    set(end, model.get("ended") || (silent ? "No kernel answers: this is what was last known. The buttons are off." : ""));
    root.dataset.ended = String(Boolean(model.get("ended")));
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
  for (const trait of ["now", "note", "ended"]) model.on(`change:${trait}`, move);
  model.on("msg:custom", heard);
  const clock = setInterval(() => {
    if (!model.get("ended") && !silent) rate.step();
  }, STEP_MS);
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
    for (const trait of ["now", "note", "ended"]) model.off(`change:${trait}`, move);
    model.off("msg:custom", heard);
    model.send({ do: "bye" });
  };
}

export default { render };

// Rates, latencies and lag: a panel a quantity, drawn by uPlot (which stands before this in the same scope).
// It grows by new points; what they belong to is known already.

import { element, set } from "./dom.js";
import { seconds } from "./scrubber.js";

const [LEFT_PX, RIGHT_PX, HEIGHT_PX] = [64, 116, 150];
const LEAST_S = 10;
const GAP_S = 1.6; // samples come twice a second while there is something to measure
const SPOKEN_MS = 2000;

function isDecade(value) {
  return value !== null && Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;
}

// plan: panels [[title, log]], series [[panel, label, stroke, dash]], values [[times, values]] a series, shades.
export function chart(plan, { begin = null, end = null } = {}) {
  const panels = [];
  const series = [];
  let shades = plan.shades ?? [];
  let count = plan.count ?? 0;
  let last = plan.last ?? 0;
  let waiting = 0;
  let spoken = 0;

  const readout = element("p", { class: "kl-readout", "data-testid": "chart-readout", "aria-live": "polite" });
  const body = element("div", { class: "kl-panels" });
  const line = element("div", { class: "kl-now", "aria-hidden": "true" });
  line.hidden = true;
  body.append(line);
  const root = element(
    "div",
    { class: "kl-chart", tabindex: 0, role: "group", "aria-label": "Chart", "data-testid": "chart" },
    body,
    readout,
  );

  let look = null; // asked once a theme: asking makes the browser lay the page out

  function looks() {
    if (!look) {
      const { color, fontFamily } = getComputedStyle(root);
      look = { ink: color, family: fontFamily };
    }
    return look;
  }

  function ink() {
    return looks().ink;
  }

  function font(scale = 1) {
    return `${12 * scale}px ${looks().family}`;
  }

  function from() {
    const firsts = panels.map((panel) => panel.times[0] ?? Infinity);
    return begin ?? Math.min(...firsts, Math.max(last - LEAST_S, 0));
  }

  function to() {
    return end ?? Math.max(last, from() + LEAST_S);
  }

  function addPanel([title, log]) {
    const place = element("div", { class: "kl-panel", "data-testid": "chart-panel" });
    const heading = element("div", { class: "kl-panel-title" });
    heading.textContent = title;
    place.append(heading);
    body.insertBefore(place, line);
    panels.push({ title, log, place, times: [], columns: [], own: [], plot: null });
  }

  function addSeries([panel, label, stroke, dash]) {
    const home = panels[panel];
    series.push({ home, index: home.columns.length });
    home.own.push({ label, stroke, dash });
    home.columns.push(home.times.map(() => null));
    if (home.plot) {
      home.plot.destroy();
      home.plot = null;
    }
  }

  function addPoint([number, t, value]) {
    const { home, index } = series[number];
    let at = home.times.length;
    while (at > 0 && home.times[at - 1] > t) at -= 1;
    if (at > 0 && home.times[at - 1] === t) at -= 1;
    else {
      home.times.splice(at, 0, t);
      for (const column of home.columns) column.splice(at, 0, null);
    }
    home.columns[index][at] = home.log && value <= 0 ? null : value;
    if (t > last) last = t;
  }

  function limits(panel, low, high) {
    if (!panel.log) return [0, round(high ?? 1)];
    const least = Math.floor(Math.log10(low ?? 1));
    return [10 ** least, 10 ** Math.max(Math.ceil(Math.log10(high ?? 1)), least + 1)];
  }

  function round(most) {
    let size = 1;
    while (size * 10 <= most) size *= 10;
    return size * ([1, 2, 4, 6, 8, 10].find((step) => size * step >= most) ?? 10);
  }

  function plotOf(panel, bottom) {
    const all = (_, marks) => marks;
    const filter = panel.log ? (_, marks) => marks.map((value) => (isDecade(value) ? value : null)) : all;
    const ticks = { stroke: "#787878", size: 4, width: 1, filter };
    const axis = { stroke: ink, font: font(), grid: { stroke: "rgb(120 120 120 / 0.3)", width: 1, filter } };
    const unseen = { size: 0, values: (_, marks) => marks.map(() => ""), ticks: { show: false } };
    const below = {
      size: 24, label: "time since the recording began (s)", labelSize: 18, labelFont: font(), ticks: { ...ticks, filter: all },
      values: (_, marks) => marks.map((t) => String(t)),
    };
    const options = {
      width: width(),
      height: HEIGHT_PX + (bottom ? 44 : 8),
      padding: [6, RIGHT_PX, bottom ? 0 : 6, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, sync: { key: sync }, points: { size: 6 } },
      scales: {
        x: { time: false, range: () => [from(), to()] },
        y: { distr: panel.log ? 3 : 1, range: (_, low, high) => limits(panel, low, high) },
      },
      axes: [
        { ...axis, grid: { ...axis.grid, filter: all }, ...(bottom ? below : unseen) },
        {
          ...axis, ticks, filter, size: LEFT_PX, space: panel.log ? 1 : 36,
          values: (_, marks) => marks.map((value) => (value === null ? null : value.toLocaleString("en"))),
        },
      ],
      series: [
        {},
        ...panel.own.map(({ label, stroke, dash }) => ({
          label, stroke, width: 1.6, dash: dash.length ? dash.map((part) => part * devicePixelRatio) : undefined,
          gaps: (plot, number, first, final) => gaps(plot, number, first, final, panel.log), points: { show: false },
        })),
      ],
      hooks: {
        drawClear: [shade],
        draw: [(plot) => names(plot, panel)],
        setCursor: [read],
      },
    };
    return new uPlot(options, data(panel), panel.place);
  }

  // Where nothing was acknowledged there is no latency: a line across would invent one.
  function gaps(plot, number, first, final, breaks) {
    const [times, column] = [plot.data[0], plot.data[number]];
    const found = [];
    let before = null;
    for (let index = first; breaks && index <= final; index += 1) {
      if (column[index] === null) continue;
      const t = times[index];
      if (before !== null && t - before > GAP_S) found.push([before, t].map((end_) => plot.valToPos(end_, "x", true)));
      before = t;
    }
    return found;
  }

  const sync = `kl-${Math.random()}`;

  function data(panel) {
    return [panel.times, ...panel.columns];
  }

  function width() {
    return Math.min(root.clientWidth || 700, 700);
  }

  function shade(plot) {
    if (!shades.length) return;
    const { ctx, bbox } = plot;
    ctx.save();
    for (const [low, high] of shades) {
      const left = Math.max(plot.valToPos(low, "x", true), bbox.left);
      const right = Math.min(plot.valToPos(high, "x", true), bbox.left + bbox.width);
      if (right < bbox.left || left > bbox.left + bbox.width) continue;
      ctx.fillStyle = "rgb(213 94 0 / 0.1)";
      ctx.fillRect(left, bbox.top, Math.max(right - left, 1), bbox.height);
      ctx.strokeStyle = "#d55e00";
      ctx.setLineDash([5 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      for (const x of [left, right]) {
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
      }
      ctx.stroke();
    }
    if (plot === panels[0].plot) nameShades(plot);
    ctx.restore();
  }

  function nameShades(plot) {
    const { ctx, bbox } = plot;
    ctx.font = font(devicePixelRatio);
    ctx.fillStyle = ink();
    ctx.textAlign = "left";
    ctx.textBaseline = "top";
    let free = -Infinity;
    for (const [low, , words] of shades) {
      const x = Math.max(plot.valToPos(low, "x", true), bbox.left) + 5 * devicePixelRatio;
      const long = ctx.measureText(words).width;
      if (x < free || x + long > bbox.left + bbox.width) continue;
      ctx.fillText(words, x, bbox.top + 3 * devicePixelRatio);
      free = x + long + 6 * devicePixelRatio;
    }
  }

  // Each line's name beside its end; names that would overlap make room.
  function names(plot, panel) {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    const ends = panel.own
      .map((own, index) => ({ ...own, value: newest(panel.columns[index]) }))
      .filter(({ value }) => value !== null)
      .map((own) => ({ ...own, y: plot.valToPos(own.value, "y", true) }))
      .sort((a, b) => a.y - b.y);
    ctx.save();
    ctx.font = font(scale);
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.lineWidth = 2 * scale;
    let lowest = -Infinity;
    for (const { label, stroke, dash, y } of ends) {
      const at = Math.max(y, lowest + 14 * scale);
      lowest = at;
      const x = bbox.left + bbox.width + 4 * scale;
      ctx.strokeStyle = stroke;
      ctx.setLineDash(dash.map((part) => part * scale));
      ctx.beginPath();
      ctx.moveTo(x, at);
      ctx.lineTo(x + 16 * scale, at);
      ctx.stroke();
      ctx.fillStyle = ink();
      ctx.fillText(label, x + 20 * scale, at);
    }
    ctx.restore();
  }

  function read(plot) {
    const at = plot.cursor.idx;
    if (at === null || at === undefined) {
      set(readout, "");
      return;
    }
    const t = plot.data[0][at];
    const said = panels.flatMap((panel) =>
      panel.own.map(({ label }, index) => {
        const value = nearest(panel.times, panel.columns[index], t);
        return value === null ? "" : `${label} ${value.toLocaleString("en")} ${unit(panel.title)}`;
      }),
    );
    set(readout, `${seconds(t)}: ${said.filter(Boolean).join(" · ")}`);
  }

  function unit(title) {
    return /\(([^()]*)\)$/.exec(title)?.[1] ?? "";
  }

  function newest(column) {
    let at = column.length - 1;
    while (at >= 0 && column[at] === null) at -= 1;
    return at < 0 ? null : column[at];
  }

  function nearest(times, column, t) {
    for (let at = times.length - 1; at >= 0; at -= 1) {
      if (times[at] <= t && column[at] !== null) return column[at];
    }
    return null;
  }

  function draw() {
    waiting = 0;
    root.dataset.points = String(count);
    panels.forEach((panel, index) => {
      if (!panel.own.length) return;
      const bottom = index === panels.length - 1;
      if (panel.plot && panel.bottom !== bottom) {
        panel.plot.destroy();
        panel.plot = null;
      }
      panel.bottom = bottom;
      if (panel.plot) panel.plot.setData(data(panel));
      else panel.plot = plotOf(panel, bottom);
    });
    if (at !== Infinity) show(at);
    if (performance.now() - spoken > SPOKEN_MS) speak();
  }

  function speak() {
    spoken = performance.now();
    const said = panels.flatMap((panel) =>
      panel.own.map(({ label }, index) => {
        const values = panel.columns[index].filter((value) => value !== null);
        return values.length ? `${panel.title}, ${label}: last ${values[values.length - 1]}, highest ${Math.max(...values)}` : "";
      }),
    );
    root.setAttribute("aria-label", `Chart. ${said.filter(Boolean).join("; ")}. Arrow keys read it point by point.`);
  }

  function soon() {
    if (!waiting) waiting = requestAnimationFrame(draw);
  }

  function more(message) {
    for (const panel of (message.panels ?? []).slice(panels.length)) addPanel(panel);
    const known = message.from + message.points.length;
    for (const one of (message.series ?? []).slice(Math.max(series.length - message.lines, 0))) addSeries(one);
    for (const point of message.points.slice(Math.max(count - message.from, 0))) addPoint(point);
    count = Math.max(count, known);
    if (message.shades) shades = message.shades;
    soon();
  }

  function show(t) {
    const high = to();
    const low = from();
    const inner = width() - LEFT_PX - RIGHT_PX;
    const place = LEFT_PX + (Math.min(Math.max((t - low) / (high - low), 0), 1)) * inner;
    const mask =
      t >= high
        ? "none"
        : `linear-gradient(to right, #000 ${place}px, rgb(0 0 0 / 0.2) ${place}px ${LEFT_PX + inner}px, #000 ${LEFT_PX + inner}px)`;
    for (const { plot } of panels) {
      if (!plot) continue;
      plot.root.style.maskImage = mask;
      plot.root.style.webkitMaskImage = mask;
    }
    line.style.left = `${place}px`;
    line.hidden = t >= high;
    at = t;
  }
  let at = Infinity;

  root.addEventListener("keydown", (event) => {
    const plot = panels.find((panel) => panel.plot)?.plot;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!plot || !step || event.target !== root) return;
    event.preventDefault();
    event.stopPropagation();
    const times = plot.data[0];
    const now = plot.cursor.idx ?? times.length;
    const index = Math.min(Math.max(now + step, 0), times.length - 1);
    plot.setCursor({ left: plot.valToPos(times[index], "x"), top: 10 });
  });
  const resized = new ResizeObserver(() => {
    for (const { plot } of panels) if (plot && plot.width !== width()) plot.setSize({ width: width(), height: plot.height });
    if (at !== Infinity) show(at);
  });
  resized.observe(root);
  function redraw() {
    look = null;
    for (const { plot } of panels) plot?.redraw(false, true);
  }
  const themed = new MutationObserver(redraw); // JupyterLab's theme, or a site's
  themed.observe(document.body, { attributes: true });
  const preference = window.matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", redraw);

  for (const panel of plan.panels) addPanel(panel);
  for (const one of plan.series) addSeries(one);
  plan.values.forEach(([times, values], number) => {
    times.forEach((t, index) => addPoint([number, t, values[index]]));
  });
  soon();

  return {
    root,
    more,
    show,
    have: () => ({ points: count, series: series.length }),
    axis: [`${LEFT_PX}px`, `${RIGHT_PX}px`],
    stops: plan.values.flatMap(([times]) => times),
    stop() {
      cancelAnimationFrame(waiting);
      resized.disconnect();
      themed.disconnect();
      preference.removeEventListener("change", redraw);
      for (const { plot } of panels) plot?.destroy();
    },
  };
}

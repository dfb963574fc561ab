// The log of one partition: a strip of segments a broker, on an axis of offsets, and where its readers stand.

import { drawing, element } from "./dom.js";

const [WIDTH, LEFT, RIGHT] = [700, 84, 16];
const LETTER = 6.8;
const UNITS = ["B", "KiB", "MiB", "GiB"];

function number(value) {
  return value.toLocaleString("en");
}

function sizeOf(bytes) {
  if (bytes < 0) return "older segments"; // there, and not listed
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${number(Math.round(size))}\u00a0${UNITS[unit]}`;
}

function words(text, attributes) {
  const made = drawing("text", attributes);
  made.textContent = text;
  return made;
}

function roundOffsets(low, high) {
  let [size, factors] = [1, [1, 2, 5]];
  let step = 0;
  while (!step) {
    step = factors.map((factor) => factor * size).find((one) => (high - low) / one <= 7) ?? 0;
    size *= 10;
  }
  const marks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) marks.push(at);
  return marks;
}

function strip(log, x, y) {
  const { segments } = log;
  const bases = segments.map(([base]) => base);
  const parts = [words(`broker ${log.node}`, { x: LEFT - 8, y: y + 20, "text-anchor": "end" })];
  segments.forEach(([base, size], index) => {
    const active = index === segments.length - 1;
    const width = Math.max(x(active ? Math.max(log.end, base) : bases[index + 1]) - x(base), 2);
    const group = drawing(
      "g",
      { "data-segment": base },
      drawing("rect", { x: x(base), y: y + 2, width, height: 28, class: active ? "kl-active" : "kl-segment" }),
    );
    const name = [`${number(base)} · ${sizeOf(size)}`, number(base)].find((one) => width > LETTER * one.length + 6);
    if (name) group.append(words(name, { x: x(base) + 4, y: y + 20 }));
    const title = drawing("title");
    title.textContent = `segment ${number(base)}: ${sizeOf(size)}${active ? ", being written" : ""}`;
    group.append(title);
    parts.push(group);
  });
  if (log.start > (bases[0] ?? 0)) {
    parts.push(drawing("line", { x1: x(log.start), x2: x(log.start), y1: y, y2: y + 32, class: "kl-start" }));
  }
  return parts;
}

export function logStrip(name) {
  const picture = drawing("svg", { width: "100%", role: "img", "font-size": 12, fill: "currentColor" });
  const root = element("div", { class: "kl-strip", "data-testid": "log-strip" }, picture);

  function show({ logs = [], readers = [] }) {
    const low = Math.min(...logs.map((log) => log.start), Infinity);
    const end = Math.max(...logs.map((log) => log.end), ...readers.map(([, offset]) => offset), low + 1);
    const x = (offset) => LEFT + ((Math.min(Math.max(offset, low), end) - low) / (end - low)) * (WIDTH - LEFT - RIGHT);
    const parts = logs.flatMap((log, index) => strip(log, x, 8 + 40 * index));
    const axis = 8 + 40 * logs.length;
    for (const offset of logs.length ? roundOffsets(low, end) : []) {
      parts.push(drawing("line", { x1: x(offset), x2: x(offset), y1: axis, y2: axis + 4, class: "kl-axis" }));
      parts.push(words(number(offset), { x: x(offset), y: axis + 17, "text-anchor": "middle" }));
    }
    parts.push(words("offset", { x: LEFT - 16, y: axis + 17, "text-anchor": "end" }));
    readers.forEach(([group, offset], index) => {
      const y = axis + 28 + 18 * index;
      const at = x(offset);
      const left = at > WIDTH * 0.55;
      parts.push(drawing("line", { x1: at, x2: at, y1: 6, y2: y + 6, class: "kl-reader" }));
      parts.push(drawing("path", { d: `M${at.toFixed(1)} ${axis - 2}l5 9h-10Z`, class: "kl-follower" }));
      parts.push(
        words(`${group} reads ${number(offset)} next · ${number(Math.max(end - offset, 0))} behind`, {
          x: left ? at - 6 : at + 6, y: y + 10, "text-anchor": left ? "end" : "start", "data-reader": group,
        }),
      );
    });
    picture.setAttribute("viewBox", `0 0 ${WIDTH} ${axis + 36 + 18 * readers.length}`);
    picture.setAttribute("aria-label", spoken(logs, readers, end));
    picture.replaceChildren(...parts);
  }

  function spoken(logs, readers, end) {
    const had = logs.map(
      (log) => `broker ${log.node} has offsets ${log.start} to ${log.end} in ${log.segments.length} segments`,
    );
    const read = readers.map(([group, offset]) => `${group} is ${Math.max(end - offset, 0)} behind`);
    return `The log of ${name}: ${[...had, ...read].join("; ")}.`;
  }

  return { root, show };
}

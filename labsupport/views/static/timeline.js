// A timeline is drawn by the kernel as an SVG whose `data-` attributes say where its time axis lies. Here it gets a
// line at the moment shown, and what has not happened yet fades.

import { element } from "./dom.js";

export function timeline(svg) {
  const line = element("div", { class: "kl-now", "aria-hidden": "true" });
  const root = element("div", { class: "kl-timeline", "data-testid": "timeline" }, svg, line);
  const { begin, end, left, right } = Object.fromEntries(
    Object.entries(svg.dataset).map(([name, value]) => [name, Number(value)]),
  );

  function show(t) {
    const place = left + ((Math.min(Math.max(t, begin), end) - begin) / (end - begin || 1)) * (right - left);
    const mask = t >= end ? "none" : `linear-gradient(to right, #000 ${place}%, rgb(0 0 0 / 0.2) ${place}%)`;
    svg.style.maskImage = mask;
    svg.style.webkitMaskImage = mask;
    line.style.left = `${place}%`;
    line.hidden = t >= end;
  }

  return { root, show, axis: [`${left}%`, `${100 - right}%`] };
}

// An SVG that our kernel wrote, as an element. It was escaped when it was made; whatever could run is taken out anyway.
export function svgOf(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg") return element("p");
  const made = document.importNode(parsed, true);
  for (const node of [made, ...made.querySelectorAll("*")]) {
    if (["script", "foreignObject", "a", "use", "image", "iframe"].includes(node.localName)) node.remove();
    for (const { name } of [...node.attributes]) if (/^on|href$/i.test(name)) node.removeAttribute(name);
  }
  return made;
}

// Making elements. Text from a cluster is only ever set with textContent or setAttribute: a name cannot become markup.

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function drawing(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function wantsStillness() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

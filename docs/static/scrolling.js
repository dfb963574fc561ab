// What scrolls sideways can be reached, and scrolled, with the keyboard.
"use strict";

const NAME = "scrolls sideways";

function reachable(box) {
  const scrolls = box.scrollWidth > box.clientWidth && /auto|scroll/.test(getComputedStyle(box).overflowX);
  if (scrolls) {
    box.tabIndex = 0;
    if (!box.hasAttribute("aria-label")) box.setAttribute("aria-label", NAME);
    if (!box.matches("figure, [role]")) box.setAttribute("role", "group");
  } else if (box.getAttribute("aria-label") === NAME) {
    for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
}

const watched = new ResizeObserver((entries) => entries.forEach(({ target }) => reachable(target)));
const boxes = "pre, .table-wrapper, .cell_output, .cell_output :is(div, figure)";
for (const box of document.querySelectorAll(`article :is(${boxes})`)) watched.observe(box);

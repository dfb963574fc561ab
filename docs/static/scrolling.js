// What scrolls sideways can be reached, and scrolled, with the keyboard.
"use strict";

function reachable(box) {
  if (box.scrollWidth > box.clientWidth) {
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "scrolls sideways");
  } else if (box.getAttribute("aria-label") === "scrolls sideways") {
    for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
}

const watched = new ResizeObserver((entries) => entries.forEach(({ target }) => reachable(target)));
for (const box of document.querySelectorAll("article :is(pre, .table-wrapper, .cell_output, .sig)")) watched.observe(box);

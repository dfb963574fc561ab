"""Whether the ledger is honest: each rule tells what is wrong with the rows, or with the pages that judge them.

The rules say nothing of a ledger that is in order; tests hold the real one to them, and give each a ledger it refuses.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from labsupport.claims import predicates
from labsupport.claims.rows import Claim
from labsupport.claims.sections import SECTIONS, rank

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A notebook as the ledger sees it: the ids that its code judges, and the text that its outputs show.

    `unclear` holds what could not be read: a call of `judge` whose id is not written out, or code that is no Python.
    """

    judged: frozenset[str] = frozenset()
    shown: str = ""
    unclear: tuple[str, ...] = ()


def read_page(text: str) -> Page:
    """What the JSON of a notebook says."""
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    judged, unclear = set(), []
    for source in ("".join(cell["source"]) for cell in cells):
        try:
            calls = list(_calls_of_judge(source))
        except SyntaxError:  # a cell for another program, such as %%bash
            unclear += ["a cell that is no Python speaks of `judge`"] if "judge" in source else []
            continue
        judged |= {name for name in calls if name is not None}
        unclear += ["a cell judges a claim whose id is not written out"] if None in calls else []
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = "\n".join("".join(output.get("data", {}).get("text/plain", "")) for output in outputs)
    return Page(judged=frozenset(judged), shown=shown, unclear=tuple(unclear))


def read_pages(root: Path) -> dict[str, Page]:
    """The pages of a checkout: chapters by the name that a row's `test` gives, labs with their folder before it."""
    chapters = {path.stem: path for path in sorted((root / "notebooks").glob("*.ipynb"))}
    labs = {f"labs/{path.parent.name}": path for path in sorted((root / "labs").glob("*/*.ipynb"))}
    return {name: read_page(path.read_text(encoding="utf-8")) for name, path in (chapters | labs).items()}


def _calls_of_judge(source: str) -> Iterator[str | None]:
    """The id of each call `claims.judge("…")` or `judge("…")`, or None where it is not written out."""
    magic, _, body = source.partition("\n")
    tree = ast.parse(_MAGIC.sub(r"\1pass", body if magic.startswith("%%") else source))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "judge":
            given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "claim_id")]
            name = given[0].value if given and isinstance(given[0], ast.Constant) else None
            yield name if isinstance(name, str) else None


def complaints(rows: Sequence[Claim], pages: Mapping[str, Page]) -> list[str]:
    """Everything that is wrong, one sentence each; empty for a ledger that may be published."""
    found = [*_about_ids(rows), *_about_order(rows)]
    for row in rows:
        found += [f"{row.id}: {complaint}" for complaint in _about(row, pages)]
    return [*found, *_about_pages(rows, pages), *_about_predicates(rows)]


def _about(row: Claim, pages: Mapping[str, Page]) -> Iterator[str]:
    yield from _about_any(row)
    if row.measured:
        yield from _about_measured(row)
        yield from _about_its_page(row, pages)
    elif row.settled:
        yield from _about_documentary(row)
    else:
        yield from _about_untested(row)


def _about_ids(rows: Sequence[Claim]) -> Iterator[str]:
    for name, times in Counter(row.id for row in rows).items():
        if times > 1:
            yield f"{name}: {times} rows have this id"


def _about_order(rows: Sequence[Claim]) -> Iterator[str]:
    known = [row for row in rows if row.section in SECTIONS]
    for before, row in pairwise(known):
        if (rank(row.section), row.paragraph) < (rank(before.section), before.paragraph):
            yield f"{row.id}: stands after {before.id}, and before it in the guide"


def _about_any(row: Claim) -> Iterator[str]:
    if row.section not in SECTIONS:
        yield f"the guide has no section {row.section!r}"
    section, hyphen, slug = row.id.partition("-")
    if section != row.section or not hyphen or not _SLUG.fullmatch(slug):
        yield "the id is not its section, a hyphen, and a few small words with hyphens"
    for name in ("statement", "system"):
        if not getattr(row, name):
            yield f"has no {name}"


def _about_untested(row: Claim) -> Iterator[str]:
    for name in ("why", "test", "predicate", "reference"):
        if getattr(row, name):
            yield f"is untested, and yet has a {name}"


def _about_documentary(row: Claim) -> Iterator[str]:
    if not re.search(r"\d", row.source):
        yield "rests on documents, and its source names no version or date"
    if not row.why:
        yield "rests on documents, and does not say why no run could settle it"
    for name in ("predicate", "reference"):
        if getattr(row, name):
            yield f"rests on documents, and yet has a {name}"


def _about_measured(row: Claim) -> Iterator[str]:
    for name in ("why", "source", "test", "reference"):
        if not getattr(row, name):
            yield f"is settled by a run, and has no {name}"
    if not re.search(r"\d", row.system):
        yield "is settled by a run, and its system names no version"
    predicate = _predicates().get(row.predicate)
    if predicate is None:
        yield f"is settled by a run, and there is no predicate {row.predicate!r}"
    elif any(each.kind is not each.KEYWORD_ONLY for each in inspect.signature(predicate).parameters.values()):
        yield f"the predicate {row.predicate!r} takes evidence without its name"


def _about_its_page(row: Claim, pages: Mapping[str, Page]) -> Iterator[str]:
    page = pages.get(row.test)
    if page is None or row.test.startswith("labs/"):
        yield f"there is no chapter {row.test!r}"
    elif row.id not in page.judged:
        yield f"the chapter {row.test!r} does not judge it"
    elif row.reference not in page.shown:
        yield f"the chapter {row.test!r} does not show its reference: {row.reference}"


def _about_pages(rows: Sequence[Claim], pages: Mapping[str, Page]) -> Iterator[str]:
    for name, page in pages.items():
        yield from (f"page {name!r}: {complaint}" for complaint in page.unclear)
        for unknown in sorted(page.judged - {row.id for row in rows}):
            yield f"page {name!r}: judges {unknown}, which is not in the ledger"


def _about_predicates(rows: Sequence[Claim]) -> Iterator[str]:
    for name in sorted(_predicates().keys() - {row.predicate for row in rows}):
        yield f"predicate {name!r}: no row has it"


def _predicates() -> dict[str, Callable[..., object]]:
    functions = inspect.getmembers(predicates, inspect.isfunction)
    return {name: function for name, function in functions if function.__module__ == predicates.__name__}

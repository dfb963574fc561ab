"""The ledger as a page: `{claims-table}` is a plain table, which `static/claims.js` makes filterable.

Beside each settled row stands what the reference run saw, in the words of the executed page that judges it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from labsupport.claims import Claim, Verdict, ledger
from labsupport.claims.rows import ledger_files
from labsupport.views.markup import Markup, join, tag

MARKS = {Verdict.HOLDS: "✓", Verdict.CONDITIONS: "◐", Verdict.OUTDATED: "✗", Verdict.WRONG: "✗", Verdict.UNTESTED: "?"}
PAGES = ("notebooks/*.ipynb", "labs/*/lab.ipynb")


def reference_words(pages: Iterable[Path]) -> dict[str, str]:
    """What the run behind the committed outputs saw, by claim: the line `saw` of the judgement's text."""
    words = {}
    for page in pages:
        for text in plain_texts(json.loads(page.read_text(encoding="utf-8"))):
            judged = re.match(r"\S+ [a-z ]+?   (\S+) \(§", text)
            saw = re.search(r"^  saw +(.+)$", text, re.MULTILINE)
            if judged and saw:
                words[judged[1]] = saw[1]
    return words


def plain_texts(notebook: Mapping[str, list[dict[str, object]]]) -> Iterable[str]:
    """The `text/plain` of every output."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            yield "".join(output.get("data", {}).get("text/plain", ""))


def claims_table(rows: Iterable[Claim], words: Mapping[str, str], pages: Mapping[str, str]) -> Markup:
    """All rows. `pages` maps what a row's `test` names to the page's address."""
    head = tag(
        "tr", *(tag("th", name, scope="col") for name in ("Guide", "Statement, and what became of it", "Verdict"))
    )
    return tag(
        "table",
        tag("thead", head),
        tag("tbody", *(claim_row(row, words.get(row.id, ""), pages.get(row.test)) for row in rows)),
        class_="kl-claims",
    )


def claim_row(row: Claim, saw: str, page: str | None) -> Markup:
    """One statement; its id is the row's, so that it can be linked to."""
    settled_by = "documents" if row.documentary else tag("a", row.test, href=page) if page else row.test
    facts = [
        ("Why", row.why),
        ("Reference run", saw),
        ("Source", row.source),
        ("Settled by", settled_by),
        ("System", row.system),
    ]
    told = join(*(tag("div", tag("dt", name), tag("dd", fact)) for name, fact in facts if fact))
    return tag(
        "tr",
        tag("th", tag("a", f"§{row.section}", href=f"#{row.id}", title=row.id), scope="row"),
        tag("td", tag("p", row.statement), tag("dl", told)),
        tag("td", tag("span", f"{MARKS[row.verdict]} {row.verdict.value}", class_="kl-verdict")),
        id=row.id,
        data_section=row.section,
        data_system=row.system,
        data_verdict=row.verdict.value,
    )


def counts_table(rows: Iterable[Claim]) -> Markup:
    """How many statements got which verdict; measured and documentary ones apart."""
    counts = Counter((row.verdict, row.documentary) for row in rows)
    head = ("Verdict", "measured", "from documents", "together")
    return tag(
        "table",
        tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head))),
        tag("tbody", *(counts_row(verdict, counts) for verdict in Verdict), counts_row(None, counts)),
        class_="kl-counts",
    )


def counts_row(verdict: Verdict | None, counts: Mapping[tuple[Verdict, bool], int]) -> Markup:
    """One verdict, or all of them."""
    of_this = {key: n for key, n in counts.items() if verdict in (None, key[0])}
    together = sum(of_this.values())
    documentary = sum(n for (_, from_documents), n in of_this.items() if from_documents)
    measured = together - documentary - of_this.get((Verdict.UNTESTED, False), 0)
    name = f"{MARKS[verdict]} {verdict.value}" if verdict else "all"
    settled = ("–", "–") if verdict is Verdict.UNTESTED else (measured, documentary)
    return tag(
        "tr",
        tag("th", tag("a", name, href=f"#verdict={verdict.value}") if verdict else name, scope="row"),
        *(tag("td", str(cell)) for cell in (*settled, together)),
    )


class ClaimsTable(SphinxDirective):
    """Draws the ledger; the page is built again when the ledger or an executed page changes."""

    def run(self) -> list[nodes.Node]:
        executed = sorted(path for pattern in PAGES for path in Path(self.env.srcdir).glob(pattern))
        for path in (*ledger_files(), *executed):
            self.env.note_dependency(str(path))
        pages = {path.parent.name if path.stem == "lab" else path.stem: path for path in executed}
        addresses = {
            name: path.relative_to(self.env.srcdir).with_suffix(".html").as_posix() for name, path in pages.items()
        }
        rows = ledger()
        html = join(counts_table(rows), claims_table(rows, reference_words(executed), addresses))
        return [nodes.raw("", html, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("claims-table", ClaimsTable)
    app.add_js_file("claims.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The ledger as a page: `{claims-table}` is a plain table, which `static/claims.js` makes filterable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from labsupport.claims import Claim, Verdict, ledger
from labsupport.claims.rows import ledger_files
from labsupport.claims.sections import SECTIONS
from labsupport.views.markup import Markup, join, tag

PAGES = ("notebooks/*.ipynb", "labs/*/lab.ipynb")


def claims_table(rows: Sequence[Claim], pages: Mapping[str, str]) -> Markup:
    """All rows, a `<tbody>` a section. `pages` maps what a row's `test` names to the page's address."""
    sections = [(section, list(group)) for section, group in groupby(rows, key=lambda row: row.section)]
    return tag(
        "table",
        tag("thead", tag("tr", tag("th", "What the guide states, in our words", scope="col"), _column("Verdict"))),
        *(
            tag("tbody", _heading(section), *(claim_row(row, pages.get(row.test)) for row in group))
            for section, group in sections
        ),
        class_="kl-claims",
    )


def _column(name: str) -> Markup:
    return tag("th", name, scope="col")


def _heading(section: str) -> Markup:
    title = tag("th", f"§{section} {SECTIONS[section]}", colspan=2, scope="rowgroup")
    return tag("tr", title, data_section=section, class_="kl-section")


def claim_row(row: Claim, page: str | None) -> Markup:
    """One statement; its id is the row's, so that it can be linked to."""
    settled = tag("a", row.test, href=page) if page else row.test
    place = tag("a", f"§{row.section}, paragraph {row.paragraph}", href=f"#{row.id}", title=row.id)
    facts = [
        place,
        row.system,
        join("settled by ", settled) if row.measured else None,
        "settled by documents" if row.documentary else None,
        f"source: {row.source}" if row.source else None,
    ]
    told = tag(
        "td",
        tag("p", row.statement),
        tag("p", row.why) if row.why else None,
        tag("p", tag("b", "Reference run: "), row.reference) if row.reference else None,
        tag("p", *separated(fact for fact in facts if fact), class_="kl-facts"),
    )
    return tag(
        "tr",
        told,
        tag("td", tag("span", f"{row.verdict.mark} {row.verdict.value}", class_="kl-verdict")),
        id=row.id,
        data_section=row.section,
        data_system=product(row.system),
        data_verdict=row.verdict.value,
    )


def separated(parts: Iterable[str]) -> list[str]:
    """The parts with a dot between them."""
    return [piece for part in parts for piece in (" · ", part)][1:]


def product(system: str) -> str:
    """A system without its version: "Kafka" for "Kafka 4.3.1, KRaft"."""
    return re.sub(r",? \d.*$", "", system)


def counts_table(rows: Iterable[Claim]) -> Markup:
    """How many statements got which verdict; measured and documentary ones apart."""
    counts = Counter((row.verdict, row.documentary) for row in rows)
    return tag(
        "table",
        tag("thead", tag("tr", *(_column(name) for name in ("Verdict", "measured", "documents", "all")))),
        tag("tbody", *(counts_row(verdict, counts) for verdict in Verdict), counts_row(None, counts)),
        class_="kl-counts",
    )


def counts_row(verdict: Verdict | None, counts: Mapping[tuple[Verdict, bool], int]) -> Markup:
    """One verdict, or all of them."""
    of_this = {key: n for key, n in counts.items() if verdict in (None, key[0])}
    together = sum(of_this.values())
    documentary = sum(n for (_, from_documents), n in of_this.items() if from_documents)
    measured = together - documentary - of_this.get((Verdict.UNTESTED, False), 0)
    name = f"{verdict.mark} {verdict.value}" if verdict else "all"
    settled = ("–", "–") if verdict is Verdict.UNTESTED else (measured, documentary)
    return tag(
        "tr",
        tag("th", tag("a", name, href=f"#verdict={verdict.value}") if verdict else name, scope="row"),
        *(tag("td", str(cell)) for cell in (*settled, together)),
    )


class ClaimsTable(SphinxDirective):
    """Draws the ledger; the page is built again when the ledger or the set of pages changes."""

    def run(self) -> list[nodes.Node]:
        executed = sorted(path for pattern in PAGES for path in Path(self.env.srcdir).glob(pattern))
        for path in (*ledger_files(), *executed):
            self.env.note_dependency(str(path))
        addresses = {
            path.parent.name if path.stem == "lab" else path.stem: path.relative_to(self.env.srcdir)
            for path in executed
        }
        pages = {name: path.with_suffix(".html").as_posix() for name, path in addresses.items()}
        rows = ledger()
        return [nodes.raw("", join(counts_table(rows), claims_table(rows, pages)), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("claims-table", ClaimsTable)
    app.add_js_file("claims.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}

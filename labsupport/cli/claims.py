"""`kafka-lab claims`: what the guide states, and what became of each statement."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click

from labsupport.core.escape import printable

if TYPE_CHECKING:
    from labsupport.claims import Claim

_VERDICTS = ("holds", "holds-with-conditions", "outdated", "wrong", "untested")
_VERDICT_WIDTH = 12
_NARROWEST, _WIDEST = 80, 100


class _Section(click.ParamType[str]):
    """The number of a section of the guide, as the pages write it: 5, 5.3 or §5.3.1."""

    name = "section"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from labsupport.claims.sections import SECTIONS

        section = value.removeprefix("§")
        if section not in SECTIONS:
            self.fail(
                f"{printable(value, limit=40)!r} is no section of the guide: they go from 0 (its summary) to 8, "
                "such as 5, 5.3 or 5.3.1",
                param,
                ctx,
            )
        return section


class _Verdict(click.Choice[str]):
    """The name of a verdict, with hyphens or blanks between its words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert("-".join(str(value).split()), param, ctx)


@click.command()
@click.option("--section", type=_Section(), metavar="NUMBER", help="Only this section of the guide, and those in it.")
@click.option("--verdict", type=_Verdict(_VERDICTS), help="Only statements with this verdict.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout: an array of objects with all fields.")
def claims(section: str | None, verdict: str | None, as_json: bool) -> None:
    """Show the statements of the guide with their verdicts.

    ✓ holds, ◐ holds with conditions, ✗ outdated or wrong, ? untested. Pages settle them by runs; where no run could,
    documents do.
    """
    from labsupport.claims import ledger
    from labsupport.claims.sections import within

    rows = [
        row
        for row in ledger()
        if (section is None or within(row.section, section))
        and (verdict is None or row.verdict.value == verdict.replace("-", " "))
    ]
    if as_json:
        click.echo(json.dumps([_facts(row) for row in rows], indent=2))
        return
    width = min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size((_WIDEST, 24)).columns))
    click.echo("\n".join([*_table(rows, width), _counts(rows, len(ledger()))]))


def _facts(row: Claim) -> dict[str, object]:
    """The stable form of `--json`: the fields of the row, the verdict by its name."""
    from dataclasses import asdict

    return {**asdict(row), "verdict": row.verdict.value}


def _table(rows: Sequence[Claim], width: int) -> list[str]:
    """Id, verdict and statement of each row, the last two wrapped in their columns."""
    id_width = max((len(row.id) for row in rows), default=0)
    statement_width = width - id_width - _VERDICT_WIDTH - 4
    lines = []
    for row in rows:
        verdict = textwrap.wrap(f"{row.verdict.mark} {row.verdict.value}", _VERDICT_WIDTH, subsequent_indent="  ")
        statement = textwrap.wrap(row.statement, statement_width, break_on_hyphens=False)
        cells = zip_longest([row.id], verdict, statement, fillvalue="")
        lines += [f"{name:<{id_width}}  {mark:<{_VERDICT_WIDTH}}  {words}".rstrip() for name, mark, words in cells]
    return [*lines, ""] if rows else []


def _counts(rows: Sequence[Claim], of_all: int) -> str:
    """How many statements are shown, and what they rest on; measured and documentary ones apart."""
    measured, untested = sum(row.measured for row in rows), sum(not row.settled for row in rows)
    documentary = len(rows) - measured - untested
    shown = f"{of_all} statements" if len(rows) == of_all else f"{len(rows)} of {of_all} statements"
    return f"{shown}: {measured} measured, {documentary} documentary, {untested} untested."

"""The ledger is complete and honest about what it rests on."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

import pytest

from labsupport.claims import claim, predicates
from labsupport.claims.rows import DOCUMENTARY, Claim, Verdict, ledger, read_rows
from labsupport.core.errors import LabError

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def judged_ids(notebook: Path) -> set[str]:
    """The ids that the cells of a page hand to `claims.judge`."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    calls = [
        node
        for cell in cells
        if cell["cell_type"] == "code"
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "judge"
    ]
    return {node.args[0].value for node in calls if isinstance(node.args[0], ast.Constant)}


@pytest.mark.parametrize("row", ledger(), ids=lambda row: row.id)
class TestEachRow:
    def test_says_what_is_claimed_and_where(self, row: Claim) -> None:
        """Id, section, statement and system are there, and the id begins with the section."""
        assert all([row.id, row.section, row.statement, row.system])
        assert row.id.startswith(f"{row.section}-")

    def test_if_settled_rests_on_something(self, row: Claim) -> None:
        """A verdict has a reason, a source, and a page that runs it (or says why none could)."""
        if row.settled:
            assert all([row.why, row.source, row.test])

    def test_if_settled_by_a_run_has_a_predicate(self, row: Claim) -> None:
        """A measured verdict has a function that could have decided otherwise; its parameters are the evidence."""
        if row.settled and not row.documentary:
            predicate = getattr(predicates, row.predicate)
            assert all(p.kind is p.KEYWORD_ONLY for p in inspect.signature(predicate).parameters.values())

    def test_if_settled_by_a_page_is_judged_there(self, row: Claim) -> None:
        """The page named by the row hands evidence for it to the ledger."""
        if row.settled and not row.documentary:
            assert row.id in judged_ids(ROOT / "notebooks" / f"{row.test}.ipynb")

    def test_if_untested_names_no_test(self, row: Claim) -> None:
        """An untested row does not pretend."""
        if not row.settled:
            assert not row.test and not row.why


def test_the_pages_are_found() -> None:
    """The next test looks at something."""
    assert NOTEBOOKS


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_id_judged_on_a_page_is_in_the_ledger(notebook: Path) -> None:
    """A page cannot judge a claim that the ledger does not know."""
    assert judged_ids(notebook) <= {row.id for row in ledger()}


def test_ids_are_unique() -> None:
    """One id, one row."""
    assert len({row.id for row in ledger()}) == len(ledger())


def test_every_predicate_belongs_to_a_row() -> None:
    """No predicate is left behind by a row that went."""
    functions = {
        name for name, f in inspect.getmembers(predicates, inspect.isfunction) if f.__module__ == predicates.__name__
    }
    assert functions == {row.predicate for row in ledger() if row.predicate}


def test_a_row_with_a_field_missing_is_refused() -> None:
    """A ledger file that is not complete is not read at all."""
    with pytest.raises(ValueError, match=r"row 9\.9-x: has .* needs exactly"):
        read_rows('[[claim]]\nid = "9.9-x"\nsection = "9.9"\n')


def test_a_documentary_row_is_told_from_a_measured_one() -> None:
    """The two kinds of verdict are counted apart."""
    text = '[[claim]]\nid="9-x"\nsection="9"\nstatement="s"\nsystem="k"\nverdict="outdated"\nwhy="w"\nsource="d"\n'
    (row,) = read_rows(text + f'test="{DOCUMENTARY}"\npredicate=""\n')
    assert row.documentary and row.verdict is Verdict.OUTDATED


def test_an_unknown_id_names_the_nearest() -> None:
    """A slip of the pen is answered with what was probably meant."""
    with pytest.raises(LabError, match=r"no claim `5\.3-failovr`.*Did you mean 5\.3-failover"):
        claim("5.3-failovr")

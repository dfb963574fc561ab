"""`kafka-lab claims`: the ledger on a terminal, and as data."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields

import pytest

from labsupport.claims import Claim, Verdict, ledger
from labsupport.claims.sections import within
from labsupport.cli import main

HEAVY = ("confluent_kafka", "kafka", "IPython", "rich", "plotly", "psutil", "labsupport.cluster", "labsupport.views")


def shown(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["claims", *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """The ids, as the JSON gives them."""
    return [row["id"] for row in json.loads(shown(capsys, "--json", *options))]


def test_every_statement_is_listed_with_its_mark(capsys: pytest.CaptureFixture[str]) -> None:
    """Id, mark and the beginning of the statement stand in one line, in the order of the guide."""
    lines = iter(shown(capsys).splitlines())
    for row in ledger():
        line = next(line for line in lines if line.startswith(f"{row.id} "))
        assert f" {row.verdict.mark} {row.verdict.value.split()[0]}" in line and row.statement[:10] in line


@pytest.mark.parametrize(("columns", "width"), [("20", 80), ("80", 80), ("95", 95), ("300", 100)])
def test_the_table_fits_the_terminal(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between 80 and 100 columns; wrapped, so that no word is lost."""
    monkeypatch.setenv("COLUMNS", columns)
    lines = shown(capsys).splitlines()
    assert width - 10 <= max(map(len, lines)) <= width
    left = max(len(row.id) for row in ledger()) + 2 + 12 + 2
    told = "".join(line[left:] for line in lines[:-1])  # the longest names of settings are broken on 80 columns
    assert told.replace(" ", "") == "".join(row.statement for row in ledger()).replace(" ", "")


def test_the_last_line_counts_measured_and_documentary_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """All of them together are the total."""
    rows = ledger()
    measured, documentary = sum(row.measured for row in rows), sum(row.documentary for row in rows)
    untested = len(rows) - measured - documentary
    assert measured and documentary and untested
    expected = f"{len(rows)} statements: {measured} measured, {documentary} documentary, {untested} untested."
    assert shown(capsys).splitlines()[-1] == expected


def test_a_part_is_counted_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    """The reader sees that there is more."""
    last = shown(capsys, "--section", "5.3").splitlines()[-1]
    count = sum(within(row.section, "5.3") for row in ledger())
    assert last.startswith(f"{count} of {len(ledger())} statements: ")


@pytest.mark.parametrize("section", ["5.3", "§5.3"])
def test_a_section_includes_those_in_it(section: str, capsys: pytest.CaptureFixture[str]) -> None:
    """5.3 and 5.3.1, 5.3.2, 5.3.3, and nothing else."""
    ids = listed(capsys, "--section", section)
    assert {name.partition("-")[0] for name in ids} == {"5.3", "5.3.1", "5.3.2", "5.3.3"}
    assert ids == [row.id for row in ledger() if row.section.startswith("5.3")]


@pytest.mark.parametrize("verdict", list(Verdict), ids=lambda verdict: verdict.value)
@pytest.mark.parametrize("spelt", [str, lambda name: name.replace(" ", "-")])
def test_a_verdict_is_asked_for_by_its_name(
    verdict: Verdict, spelt: type[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With blanks, as it is written, or with hyphens, as it is typed."""
    assert listed(capsys, "--verdict", spelt(verdict.value)) == [r.id for r in ledger() if r.verdict is verdict]


def test_both_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """What belongs to the section and has the verdict."""
    assert listed(capsys, "--section", "5.3", "--verdict", "holds")[0] == "5.3-failover"


def test_a_section_without_statements_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """A heading of the guide below which nothing can be checked."""
    assert shown(capsys, "--section", "3.4", "--verdict", "wrong").startswith(f"0 of {len(ledger())} statements: ")
    assert json.loads(shown(capsys, "--section", "3.4", "--verdict", "wrong", "--json")) == []


def test_json_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    """An array of objects; the verdict is its name, the paragraph a number."""
    rows = json.loads(shown(capsys, "--json"))
    assert len(rows) == len(ledger())
    assert all(list(row) == [field.name for field in fields(Claim)] for row in rows)
    failover = next(row for row in rows if row["id"] == "5.3-failover")
    assert failover["verdict"] == "holds" and failover["paragraph"] == 6 and failover["reference"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["--section", "9"], "'9' is no section of the guide"),
        (["--section", "5.3.9"], "'5.3.9' is no section of the guide"),
        (["--section", ""], "'' is no section of the guide"),
        (["--section", "five"], "such as 5, 5.3 or 5.3.1"),
        (["--section", "\x1b[2J"], "'\\\\x1b[2J'"),
        (["--section"], "requires an argument"),
        (["--verdict", "maybe"], "'maybe' is not one of 'holds', 'holds-with-conditions'"),
        (["--verdict", ""], "is not one of"),
        (["--verdicts", "holds"], "no option --verdicts"),
        (["--json=yes"], "does not take a value"),
        (["5.3"], "(5.3)"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(typed: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, as for the other commands, and nothing on stdout."""
    assert main(["claims", *typed]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err
    assert err.count("\n") == 1 and err.endswith(".\n") and "\x1b" not in err


def test_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """In its own help, and in one line of the list of commands."""
    assert "Usage: kafka-lab claims" in shown(capsys, "--help")
    assert main(["--help"]) == 0
    assert "claims" in capsys.readouterr().out


def test_it_needs_no_kafka() -> None:
    """Neither the clients nor what starts clusters is imported to read a table."""
    program = (
        "import sys; from labsupport.cli import main; main(['claims', '--section', '8']);"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"

"""Questions tempt, and do not give themselves away."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

import pytest

from labsupport.core.errors import BadInput, LabError
from labsupport.teaching.outcomes import (
    OUTCOMES,
    frozen_node,
    leader_dies,
    left_behind,
    no_key,
    pinned_pod,
    pod_comes_back,
    seek_cost,
    three_ways_out,
    unreachable_address,
    update_order,
)
from labsupport.teaching.questions import Question, question, questions

NOTEBOOKS = sorted((Path(__file__).parents[3] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("asked", questions().values(), ids=lambda asked: asked.id)
class TestEachQuestion:
    def test_has_tempting_options_and_one_answer(self, asked: Question) -> None:
        """At least two wrong answers, all different, and the right one is among the options."""
        assert len(set(asked.options.values())) == len(asked.options) >= 3
        assert asked.answer in asked.options and asked.why

    def test_does_not_betray_the_answer_by_its_length(self, asked: Question) -> None:
        """The longest option is not the right one by a wide margin: readers of tests know that trick."""
        lengths = {letter: len(text) for letter, text in asked.options.items()}
        others = max(length for letter, length in lengths.items() if letter != asked.answer)
        assert lengths[asked.answer] <= 1.3 * others

    def test_can_end_in_more_than_one_way(self, asked: Question) -> None:
        """The outcome is read from evidence by a function whose parameters name it."""
        assert all(p.kind is p.KEYWORD_ONLY for p in inspect.signature(OUTCOMES[asked.id]).parameters.values())

    def test_is_asked_and_compared_on_a_page(self, asked: Question) -> None:
        """Some page asks it, and the same page later shows the outcome."""
        sources = [notebook.read_text(encoding="utf-8") for notebook in NOTEBOOKS]
        call = json.dumps(f'predict("{asked.id}"')[1:-1]
        outcome = json.dumps(f'predict.outcome("{asked.id}"')[1:-1]
        assert any(call in source and source.find(call) < source.find(outcome) for source in sources)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_shows_no_answer_before_it_is_asked_for(notebook: Path) -> None:
    """Neither the source nor the output of a cell up to the outcome holds the reason that gives the answer away."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for asked in questions().values():
        before = [cell for cell in cells if f'predict.outcome("{asked.id}"' not in "".join(cell["source"])]
        assert asked.why[:60] not in " ".join("".join(cell["source"]) for cell in before)
        assert asked.why[:60] not in json.dumps([cell.get("outputs") for cell in before], ensure_ascii=False)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_question_asked_on_a_page_exists(notebook: Path) -> None:
    """A page cannot ask what nobody wrote down."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("predict", "predict.outcome"):
                assert ast.literal_eval(node.args[0]) in questions()


@pytest.mark.parametrize(
    ("letter", "evidence"),
    [
        ("a", {"pause_s": 0.2}),
        ("b", {"lost": 3}),
        ("c", {"duplicated": 1}),
        ("d", {}),
        ("e", {"new_leader": None, "pause_s": None}),
    ],
)
def test_each_option_of_leader_dies_can_come_true(letter: str, evidence: dict[str, object]) -> None:
    """The outcome is decided by the run: there is evidence for every option."""
    assert leader_dies(**{"new_leader": 2, "pause_s": 8.1, "lost": 0, "duplicated": 0, **evidence}) == letter  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("letter", "evidence"),
    [
        ("a", {"changes": 2999, "longest_run": 1}),
        ("b", {"changes": 0, "longest_run": 3000}),
        ("c", {"changes": 45, "longest_run": 130}),
        ("d", {"changes": 2000, "longest_run": 7}),
    ],
)
def test_each_option_of_no_key_can_come_true(letter: str, evidence: dict[str, int]) -> None:
    """In turn, all to one, in runs, or without a pattern that a producer alone could make."""
    assert no_key(records=3000, **evidence) == letter


@pytest.mark.parametrize(
    ("letter", "evidence"),
    [
        ("a", {"entries": 4000}),
        ("b", {"scanned_bytes": 1_500_000}),
        ("c", {"scanned_bytes": 500_000}),
        ("d", {"scanned_bytes": 12_000}),
    ],
)
def test_each_option_of_seek_cost_can_come_true(letter: str, evidence: dict[str, int]) -> None:
    """An entry a record; all that is before it; much of its segment; little."""
    seek = {"before_bytes": 1_400_000, "segment_bytes": 1_000_000, "scanned_bytes": 9, "entries": 70, "records": 4000}
    assert seek_cost(**{**seek, **evidence}) == letter


@pytest.mark.parametrize(
    ("letter", "at_once"),
    [("a", (True, True, False)), ("b", (True, False, False)), ("c", (True, True, True)), ("d", (False, False, False))],
)
def test_each_option_of_three_ways_out_can_come_true(letter: str, at_once: tuple[bool, bool, bool]) -> None:
    """Whether the stopped, the killed and the frozen one left the list at once."""
    stopped, killed, frozen = at_once
    assert three_ways_out(stopped_at_once=stopped, killed_at_once=killed, frozen_at_once=frozen) == letter


@pytest.mark.parametrize(
    ("letter", "leader", "later"), [("a", 2, 2), ("b", 3, 3), ("c", None, 1), ("d", None, 2), ("d", None, None)]
)
def test_each_option_of_left_behind_can_come_true(letter: str, leader: int | None, later: int | None) -> None:
    """One of those behind leads at once, or later, or only the one who came back."""
    assert left_behind(behind=[2, 3], leader=leader, leader_later=later, came_back=1) == letter


@pytest.mark.parametrize(
    ("letter", "same"),
    [
        ("a", {"same_name": False}),
        ("a", {"same_volume": False}),
        ("b", {"same_address": True}),
        ("c", {}),
        ("d", {"same_pod": True, "same_address": True}),
    ],
)
def test_each_option_of_pod_comes_back_can_come_true(letter: str, same: dict[str, bool]) -> None:
    """Another name or volume, the same address, another one, the very same pod."""
    usual = {"same_name": True, "same_pod": False, "same_volume": True, "same_address": False}
    assert pod_comes_back(**{**usual, **same}) == letter


@pytest.mark.parametrize(
    ("letter", "numbers", "most_away"),
    [("a", [0, 1, 2], 1), ("b", [2, 1, 0], 1), ("c", [2, 1, 0], 3), ("d", [1, 0, 2], 1)],
)
def test_each_option_of_update_order_can_come_true(letter: str, numbers: list[int], most_away: int) -> None:
    """Up, down, all at once, or as it likes."""
    assert update_order(numbers=numbers, most_away=most_away) == letter


@pytest.mark.parametrize(
    ("letter", "stuck", "same_node", "same_volume"),
    [
        ("a", False, False, False),
        ("b", False, False, True),
        ("c", True, True, True),
        ("d", False, True, True),
    ],
)
def test_each_option_of_pinned_pod_can_come_true(letter: str, stuck: bool, same_node: bool, same_volume: bool) -> None:
    """Elsewhere and empty, elsewhere with its volume, nowhere, where it was."""
    assert pinned_pod(stuck=stuck, same_node=same_node, same_volume=same_volume) == letter


@pytest.mark.parametrize(
    ("letter", "acknowledged", "ready"),
    [("a", [], True), ("b", [0, 2], True), ("c", [0, 1, 2], True), ("d", [0, 1, 2], False)],
)
def test_each_option_of_unreachable_address_can_come_true(letter: str, acknowledged: list[int], ready: bool) -> None:
    """None, some, all, and all since Kubernetes stepped in."""
    assert unreachable_address(acknowledged=acknowledged, partitions=3, ready=ready) == letter


@pytest.mark.parametrize(
    ("letter", "leader_s", "marked_s", "errand", "broker"),
    [
        ("a", 9.0, 2.0, True, True),
        ("a", None, 26.0, True, False),
        ("b", 9.0, 26.0, True, True),
        ("c", 9.0, 26.0, True, False),
        ("d", 9.0, None, False, False),
    ],
)
def test_each_option_of_frozen_node_can_come_true(
    letter: str, leader_s: float | None, marked_s: float | None, errand: bool, broker: bool
) -> None:
    """Kubernetes first, both elsewhere, one of them, none."""
    found = frozen_node(leader_s=leader_s, marked_s=marked_s, errand_elsewhere=errand, broker_elsewhere=broker)
    assert found == letter


def test_an_unknown_question_names_the_nearest() -> None:
    """A slip of the pen is answered with what was probably meant."""
    with pytest.raises(LabError, match=r"no question `leader-dis`.*leader-dies"):
        question("leader-dis")


@pytest.mark.parametrize("answer", ["z", "", 1, None, "ab", "\x1b[2J"])
def test_an_answer_that_is_no_option_is_refused_in_one_sentence(answer: object) -> None:
    """The message lists the letters, and shows what was typed without obeying it."""
    with pytest.raises(BadInput, match="Choose one of a, b, c, d, e") as refused:
        question("leader-dies").choice(answer)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize("answer", ["B", "(b)", " b ", "b"])
def test_brackets_and_capitals_do_not_matter(answer: str) -> None:
    """(B) is b."""
    assert question("leader-dies").choice(answer) == "b"

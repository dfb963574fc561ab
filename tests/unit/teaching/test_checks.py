"""A check has three outcomes and a deadline, and what it could not find out is nobody's fault."""

from __future__ import annotations

import _thread
import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from labsupport.core.errors import NotRunning
from labsupport.core.finding import Finding, Outcome
from labsupport.teaching.checks import Check, Report, check, look_at

CLUSTER: Any = object()


@check("all is well")
def well(_: Any) -> Finding:
    return Finding.of(True)


@check("all is in sync")
def behind(_: Any) -> Finding:
    return Finding.of(
        False, saw=["payments-0: in sync 1,2", "payments-1: in sync 2"], look="kafka-topics.sh --describe"
    )


@check("the cluster answers")
def gone(_: Any) -> Finding:
    raise NotRunning("The cluster lab-x is not running any more.", fix="Start it.")


@check("the check is right")
def mistaken(_: Any) -> Finding:
    return {}["payments"]  # type: ignore[no-any-return]


@pytest.fixture
def hanging() -> Iterator[Check]:
    """A check that gets no answer as long as the test lasts."""
    released = threading.Event()

    @check("a broker answers", deadline_s=0.05)
    def hangs(_: Any) -> Finding:
        released.wait()
        return Finding.of(True)

    yield hangs
    released.set()


def test_a_decorated_function_says_what_should_be() -> None:
    """Whatever the function itself leaves out."""
    assert isinstance(well, Check)
    assert well(CLUSTER) == Finding(outcome=Outcome.SOLVED, should="all is well")


def test_solved_is_when_every_check_is() -> None:
    assert look_at(CLUSTER, [well, well]).solved


def test_not_yet_says_what_should_be_what_was_seen_and_where_to_look() -> None:
    """In the text and in the card alike, a line for each thing that was seen."""
    report = look_at(CLUSTER, [well, behind])
    assert report.outcome is Outcome.NOT_YET
    assert str(report).splitlines() == [
        "not yet:",
        "✓ all is well",
        "✗ all is in sync",
        "  saw   payments-0: in sync 1,2",
        "        payments-1: in sync 2",
        "  look  kafka-topics.sh --describe",
    ]
    html = report._repr_mimebundle_()["text/html"]
    assert "payments-1: in sync 2" in html and "<code>kafka-topics.sh --describe</code>" in html


def test_a_cluster_that_is_gone_could_not_be_checked() -> None:
    """One sentence says why, and the whole report is "could not check", whatever else was seen."""
    report = look_at(CLUSTER, [behind, gone])
    assert report.outcome is Outcome.COULD_NOT_CHECK
    assert report.findings[1].saw == "The cluster lab-x is not running any more."


def test_a_mistake_of_ours_is_said_to_be_ours() -> None:
    """It is not held against the learner either."""
    (finding,) = look_at(CLUSTER, [mistaken]).findings
    assert finding.outcome is Outcome.COULD_NOT_CHECK
    assert finding.saw == "This check has a mistake of its own (KeyError: 'payments')."


def test_a_client_that_gives_up_is_the_infrastructure() -> None:
    """Errors of the operating system and of both client libraries."""
    from confluent_kafka import KafkaError, KafkaException
    from kafka.errors import KafkaTimeoutError

    for error in (OSError("no route"), KafkaTimeoutError("late"), KafkaException(KafkaError(-185, "Timed out"))):

        @check("it answers")
        def refused(_: Any, error: Exception = error) -> Finding:
            raise error

        (finding,) = look_at(CLUSTER, [refused]).findings
        assert finding.outcome is Outcome.COULD_NOT_CHECK and "could not be asked" in finding.saw


def test_a_check_that_hangs_ends_at_its_deadline(hanging: Check) -> None:
    """And holds up none of the others: they all look at the same time."""
    report = look_at(CLUSTER, [hanging, well])
    assert [finding.outcome for finding in report.findings] == [Outcome.COULD_NOT_CHECK, Outcome.SOLVED]
    assert report.findings[0].saw == "The cluster gave no answer within 0.05 seconds."


def test_an_interrupt_ends_the_waiting(hanging: Check) -> None:
    """*Kernel → Interrupt* in the middle of a check: the deadline of an hour is not waited for."""
    patient = Check(hanging.should, hanging.looks, deadline_s=3600)
    threading.Timer(0.1, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        look_at(CLUSTER, [patient])


def test_it_looks_outside_the_event_loop() -> None:
    """A notebook's cell runs inside one; clients that start a loop of their own work all the same."""

    @check("a loop can be run")
    def runs_a_loop(_: Any) -> Finding:
        return Finding.of(asyncio.run(asyncio.sleep(0, result=True)))

    async def cell() -> Report:
        return look_at(CLUSTER, [runs_a_loop])

    assert asyncio.run(cell()).solved


def test_what_a_broker_says_is_escaped() -> None:
    """A topic's name or a record may be part of what was seen."""

    @check("nothing runs")
    def hostile(_: Any) -> Finding:
        return Finding.of(False, saw="<script>alert(1)</script>\x1b[2J", look="<b>")

    report = look_at(CLUSTER, [hostile])
    assert "<script>" not in report._repr_mimebundle_()["text/html"] and "\x1b" not in str(report)

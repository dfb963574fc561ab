"""A fact of every cell, and what would be another story: `test_pages` sees that the comparison tells them apart."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks.pages import PAGES

# For each page, judged facts by cell id: what the cell shows, and what would be another story.
FLIPS = {
    "00-start-here": {
        "start": ("3 brokers (kraft)", "3 brokers (zookeeper)"),
        "create": ("(1, [1, 2, 3])", "(2, [1, 2, 3])"),
        "first": ("N14228", "N14229"),
        "ask": ("two more brokers", "one more broker"),
        "watch": ("flights-2: led by broker-3", "flights-2: led by broker-1"),
        "kill": ("([1, 2, 3], 2)", "([1, 2, 3], 3)"),
        "timeline": ("writes acknowledged again: yes", "writes acknowledged again: no"),
        "history": ("acknowledged and lost: 0", "acknowledged and lost: 1"),
        "outcome": ("(d) ", "(b) "),
        "judge-failover": ("✓ holds", "✗ wrong"),
        "judge-acked": ("no acknowledged record is missing", "acknowledged records are missing"),
    },
    "02-topics-partitions-segments": {
        "start": ("1 broker", "2 brokers"),
        "send": ("offset 0 only", "offset 1 only"),
        "bytes": ("key: N14228", "key: N14229"),
        "append": ("(True, True)", "(True, False)"),
        "judge-files": ("✓ holds   3.1-append-only", "✗ wrong   3.1-append-only"),
        "transaction": ("[0, 1, 2, 3, 5]", "[0, 1, 2, 3, 4]"),
        "judge-offsets": ("marker has taken one", "marker has taken none"),
        "ask-no-key": ("In turn: 0, 1, 2", "In turn: 0, 2, 1"),
        "no-key": ("in runs, not in turn", "in turn, not in runs"),
        "outcome-no-key": ("(c) ", "(a) "),
        "judge-round": ("✗ outdated", "✓ holds"),
        "keyed": ("more than one partition: 0", "more than one partition: 1"),
        "judge-order": ("they are not in order", "they are in order"),
        "segments": ("to 14999, without a gap", "to 14999, with gaps"),
        "dump": ("True", "False"),
        "index": ("fewer index entries", "not fewer index entries"),
        "ask-seek": ("Nothing: the index", "A little: the index"),
        "seek": ("segment was read: yes", "segment was read: no"),
        "outcome-seek": ("(d) ", "(c) "),
        "seek-time": ("True", "False"),
        "one-file": ("segment was read: yes", "segment was read: no"),
        "judge-reads": ("✗ wrong   3.1-segment-reads", "✓ holds   3.1-segment-reads"),
        "retention": ("from a later offset than 0", "from offset 0"),
        "judge-deletes": ("not one byte of the others", "some bytes of the others"),
    },
    "04-leaders-followers-isr": {
        "start": ("3 brokers", "2 brokers"),
        "topic": ("([1, 2, 3], [1, 2, 3])", "([1, 2, 3], [1, 2])"),
        "clients": ("+2 min", "+3 min"),
        "ask-ways": ("All three at once", "All four at once"),
        "stop": ("([1, 2], 1)", "([1, 2, 3], 1)"),
        "silent": ("'acknowledged': False", "'acknowledged': True"),
        "isr": ("at least 1 in sync", "at least 2 in sync"),
        "outcome-ways": ("(b) ", "(a) "),
        "judge-isr": ("the leader alone acknowledged", "the leader alone did not acknowledge"),
        "judge-list": ("left the list sooner", "left the list later"),
        "ask-behind": ("until broker 1 is back", "until broker 2 is back"),
        "behind": ("([1], None, 1)", "([1], 2, 1)"),
        "outcome-behind": ("(c) ", "(b) "),
        "judge-behind": ("none of them led", "one of them led"),
        "controller": ("'nobody else': True", "'nobody else': False"),
        "judge-controller": ("✗ wrong   3.3-leader-controls", "✓ holds   3.3-leader-controls"),
        "zookeeper": ("(True, True)", "(True, False)"),
        "zk-kill": ("(True, True, 0)", "(True, False, 0)"),
        "judge-any": ("✗ outdated", "✓ holds"),
    },
    "10-kubernetes-by-hand": {
        "start": ("gate-1 created", "gate-3 created"),
        "pods": ("a volume each", "one volume for all"),
        "dns": ("'gates': 3", "'gates': 1"),
        "ask": ("Nothing but the template", "Nothing but the volume"),
        "delete": ("another address", "the same address"),
        "outcome": ("(c) ", "(b) "),
        "ask-order": ("the other way round", "the same way round"),
        "update": ("gate-2 ending", "gate-0 ending"),
        "outcome-order": ("(b) ", "(a) "),
        "scale": ("gate-0 closed", "gate-0 ended"),
        "judge-identity": ("✗ wrong   5.2.3-same-ip", "✓ holds   5.2.3-same-ip"),
        "judge-order": ("one by one, the last first", "one by one, the first first"),
        "desk": ("0 of 3", "3 of 3"),
        "judge-lasting": ("had new names", "had old names"),
        "declared": ("without anybody's asking", "when somebody asked"),
        "cluster": ("a volume each", "one volume for all"),
        "served": ("1: [0]", "1: [0, 1]"),
        "discovery": ("broker-3", "broker-4"),
        "judge-service": ("by one broker only", "by several brokers"),
        "outside": ("◐ holds with conditions", "✓ holds"),
        "volume": ("the same volume", "another volume"),
        "bytes": ("(True, True)", "(True, False)"),
        "rollout": ("acknowledged and lost: 0", "acknowledged and lost: 1"),
        "judge-rollout": ("✓ holds", "✗ wrong"),
    },
    "13-storage-and-network": {
        "start": ("a volume each", "one volume for all"),
        "claim": ("WaitForFirstConsumer", "Immediate"),
        "gates": ("one node, that of gate-0", "2 nodes, that of gate-0"),
        "follow": ("(True, True", "(True, False"),
        "stay": ("data-gate-2: Bound", "data-gate-2: Lost"),
        "ask-pinned": ("takes no new pods", "takes new pods"),
        "errands": ("no volume", "a volume each"),
        "pinned": ("FailedScheduling", "Scheduled"),
        "outcome-pinned": ("(c) ", "(b) "),
        "judge-pinned": ("waited for its volume", "went without its volume"),
        "told": ("2: 'answers'", "2: 'refused'"),
        "ask-address": ("an address that only pods can use", "an address that nobody can use"),
        "wrong": ("[1, 2, 3]", "[1, 3]"),
        "outside": ("1: 'given up'", "1: 'acknowledged'"),
        "outcome-address": ("(b) ", "(c) "),
        "mended": ("(2, ", "(3, "),
        "judge-address": ("◐ holds with conditions", "✓ holds"),
        "ask-frozen": ("Nobody steps in", "Somebody steps in"),
        "aside": ("4 pods ready", "3 pods ready"),
        "frozen": ("4 pods ready, 1 not ready", "3 pods ready, 2 not ready"),
        "clock": ("1. Kafka: another leader", "1. Kubernetes: the node is not ready"),
        "went-on": ("True)", "False)"),
        "outcome-frozen": ("(c) ", "(b) "),
        "judge-frozen": ("✗ wrong   5.3.3-api-server", "✓ holds   5.3.3-api-server"),
    },
}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_cell_that_shows_something_has_a_fact_to_flip(page: Path) -> None:
    """No cell of a page shows nothing but what is never compared."""
    cells = nbformat.read(page, as_version=4).cells
    assert {cell.id for cell in cells if cell.get("outputs")} == set(FLIPS[page.stem])

"""A port-forward that has lost its connection is known by its words, each time that it says them."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsupport.cluster.kubernetes.forwards import Forwards

WELL = "Forwarding from 127.0.0.1:28075 -> 9092\nHandling connection for 28075\n"
# As kubectl 1.37 said on a machine with a load of 33.
LOST = 'E1127 12:30:03.245428 14272 portforward.go:476] "Error creating error stream" err="Timeout occurred"\n'
REFUSED = 'E1127 12:26:24.331922 13264 portforward.go:549] "An error occurred forwarding" err="connection refused"\n'


def test_one_that_is_well_is_left_alone(tmp_path: Path) -> None:
    """Also while nobody listens in the pod: then it ends by itself; and before it has written anything."""
    forwards = Forwards(tmp_path, ["broker-1"])
    assert forwards.lost() == []
    (tmp_path / "forward-broker-1.log").write_text(WELL + REFUSED)
    assert forwards.lost() == []


@pytest.mark.parametrize("words", [LOST, "error creating forwarding stream for port 28075 -> 9092: EOF\n"])
def test_one_that_is_lost_is_named_until_it_is_another(tmp_path: Path, words: str) -> None:
    """Once for what it said since the last look, and again when it says it again."""
    forwards, log = Forwards(tmp_path, ["broker-1", "broker-2"]), tmp_path / "forward-broker-2.log"
    log.write_text(WELL + words)
    assert forwards.lost() == ["forward-broker-2"]
    assert forwards.lost() == []
    with log.open("a") as more:
        more.write(WELL + words)
    assert forwards.lost() == ["forward-broker-2"]

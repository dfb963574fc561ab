"""The table of what runs where says what the code of the backends says."""

from __future__ import annotations

import backends_page

from labsupport.cluster.broker import Capability
from labsupport.cluster.docker.node import DockerNode
from labsupport.cluster.local.node import LocalNode


def test_every_backend_is_asked() -> None:
    can = backends_page.abilities()
    assert list(can) == ["local", "docker", "kubernetes"]
    assert (can["local"], can["docker"]) == (LocalNode.can, DockerNode.can)


def test_a_row_tells_yes_where_it_can_be_done_and_no_elsewhere() -> None:
    able = {"here": frozenset({Capability.PAUSE}), "there": frozenset[Capability]()}
    html = str(backends_page.backends_table(able))
    row = html[html.index("Brokers can be frozen") :]
    assert row.startswith("Brokers can be frozen and thawed</th><td>yes</td><td>no</td>")
    assert html.count("<td>yes</td>") == 1 and html.count('scope="row"') == len(Capability)

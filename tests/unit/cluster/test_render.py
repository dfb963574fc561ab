"""Golden files of `server.properties` and `zoo.cfg`: a changed setting is seen in review.

To change one on purpose, delete it and run the test once: it is written, and the test fails until it is committed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from labsupport.cluster.render import ZooKeeperPorts, as_properties, broker_properties, zookeeper_properties
from labsupport.cluster.spec import ClusterSpec, Listener, build_spec

GOLDEN = Path(__file__).parent / "golden"


ALL = ("CLIENT", "INTERNAL", "CONTROLLER")


def _listeners(*names: str, first_advertised_port: int) -> list[Listener]:
    return [
        Listener(name=name, bind_port=20000 + i, advertised_port=first_advertised_port + i)  # type: ignore[arg-type]
        for i, name in enumerate(names)
    ]


def _broker(
    spec: ClusterSpec,
    node_id: int,
    *listeners: str,
    voters: dict[int, str],
    zookeeper: str = "",
    proxied: bool = False,
) -> str:
    return as_properties(
        broker_properties(
            spec,
            node_id,
            listeners=_listeners(*listeners, first_advertised_port=25000 if proxied else 20000),
            voters=voters,
            zookeeper_connect=zookeeper,
            log_dirs=[Path("/data/a"), Path("/data/b")],
        )
    )


def _cases() -> dict[str, str]:
    three = {i: f"127.0.0.1:2900{i}" for i in (1, 2, 3)}
    doors = {i: f"127.0.0.1:2500{i + 1}" for i in (1, 2, 3)}
    separate = {i: f"127.0.0.1:29{i}" for i in (101, 102, 103)}
    ports = {i: ZooKeeperPorts(client=20000 + i, quorum=21000 + i, election=22000 + i) for i in (1, 2, 3)}
    both = build_spec(racks=["a", "b", "c"], config={"log.retention.ms": 60000})
    return {
        "kraft-4.3.1-combined": _broker(both, 1, "CLIENT", "INTERNAL", "CONTROLLER", voters=three),
        "kraft-3.9.2-combined": _broker(
            build_spec(version="3.9.2"), 2, "CLIENT", "INTERNAL", "CONTROLLER", voters=three
        ),
        "kraft-4.3.1-broker": _broker(build_spec(controllers=3), 1, "CLIENT", "INTERNAL", voters=separate),
        "kraft-4.3.1-controller": _broker(build_spec(controllers=3), 101, "CONTROLLER", voters=separate),
        "kraft-4.3.1-one-broker": _broker(
            build_spec(brokers=1, profile="throughput"), 1, "CLIENT", "INTERNAL", "CONTROLLER", voters={1: three[1]}
        ),
        "kraft-4.3.1-combined-links": _broker(build_spec(), 1, *ALL, voters=doors, proxied=True),
        "kraft-3.9.2-combined-links": _broker(build_spec(version="3.9.2"), 1, *ALL, voters=doors, proxied=True),
        "kraft-4.3.1-controller-links": _broker(
            build_spec(controllers=3), 101, "CONTROLLER", voters=separate, proxied=True
        ),
        "zookeeper-3.9.2-broker-links": _broker(
            build_spec(coordination="zookeeper"),
            1,
            "CLIENT",
            "INTERNAL",
            voters={},
            zookeeper="127.0.0.1:26001",
            proxied=True,
        ),
        "zookeeper-3.9.2-broker": _broker(
            build_spec(coordination="zookeeper"), 1, "CLIENT", "INTERNAL", voters={}, zookeeper="127.0.0.1:20001"
        ),
        "zookeeper-alone": as_properties(zookeeper_properties({1: ports[1]}, 1, Path("/data/z"))),
        "zookeeper-ensemble": as_properties(zookeeper_properties(ports, 2, Path("/data/z"))),
    }


@pytest.mark.parametrize("name", sorted(_cases()))
def test_the_rendered_file_is_the_golden_one(name: str) -> None:
    golden = GOLDEN / f"{name}.properties"
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(_cases()[name])
        pytest.fail(f"{golden.name} was missing and has been written: read it, then commit it")
    assert _cases()[name] == golden.read_text()


def test_an_advertised_address_may_differ_from_the_bound_one() -> None:
    """A link proxy stands before a broker: clients and the other brokers see the proxy's port."""
    behind = Listener(name="CLIENT", bind_port=20001, advertised_port=25001)
    assert (behind.bound, behind.advertised) == ("CLIENT://127.0.0.1:20001", "CLIENT://127.0.0.1:25001")


def test_the_readers_setting_wins_over_the_quick_profile() -> None:
    text = _broker(
        build_spec(config={"offsets.topic.num.partitions": 50}),
        1,
        "CLIENT",
        "INTERNAL",
        "CONTROLLER",
        voters={1: "h:1"},
    )
    assert "offsets.topic.num.partitions=50\n" in text


@pytest.mark.parametrize(("value", "written"), [("a\\b", "a\\\\b"), (" x", "\\ x"), ("plain", "plain")])
def test_values_survive_javas_properties_format(value: str, written: str) -> None:
    assert as_properties({"name": value}) == f"name={written}\n"

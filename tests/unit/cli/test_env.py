"""Exports for other shells: a shell that evaluates them gets the values and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labsupport.cli.env import exports

RECORD = {
    "name": "demo",
    "bootstrap_servers": "127.0.0.1:20001,127.0.0.1:20002",
    "nodes": [
        {"name": "broker-1", "roles": ["broker", "controller"], "address": "127.0.0.1:20001"},
        {"name": "controller-101", "roles": ["controller"], "address": "127.0.0.1:20003"},
        {"name": "zookeeper-1", "roles": ["zookeeper"], "address": "127.0.0.1:20004"},
    ],
}


def _in_a_shell(script: str, *, path: str = "/usr/bin:/bin") -> str:
    ended = subprocess.run(["/bin/sh", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=True)
    return ended.stdout


def test_they_name_what_other_clients_need() -> None:
    """Brokers, ZooKeeper, separate controllers (a combined broker's client port is none), and the cluster's name."""
    shown = '; echo "$BOOTSTRAP|$ZOOKEEPER|$CONTROLLERS|$KAFKA_LAB_CLUSTER"'
    values = _in_a_shell("\n".join(exports(RECORD, "/tools")) + shown).strip()
    assert values == "127.0.0.1:20001,127.0.0.1:20002|127.0.0.1:20004|127.0.0.1:20003|demo"


def test_path_is_led_by_the_tools_once() -> None:
    """Evaluating them twice adds nothing; blanks, quotes and dollars in the folder's name do no harm."""
    folder = '/it\'s "my $HOME" `id`/tools'
    lines = "\n".join(exports(RECORD, folder))
    assert _in_a_shell(f'{lines}\n{lines}\nprintf %s "$PATH"') == f"{folder}:/usr/bin:/bin"


def test_a_hostile_value_stays_a_value() -> None:
    """Whatever a record says, the shell runs none of it."""
    record = {**RECORD, "bootstrap_servers": "$(echo run);'`echo run`'"}
    shown = _in_a_shell("\n".join(exports(record, "/tools")) + '\nprintf %s "$BOOTSTRAP"')
    assert shown == record["bootstrap_servers"]


def test_kubectl_is_pointed_at_the_namespace_of_a_cluster_of_pods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$KUBECONFIG is the record's; kubectl is found, even if only this Python's environment has it."""
    record = {**RECORD, "exports": {"KUBECONFIG": "/a b/kubeconfig:/home/me/config"}}
    (tmp_path / "kubectl").write_text("#!/bin/sh\n")
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    shown = '; echo "$KUBECONFIG"; command -v kubectl'
    values = _in_a_shell("\n".join(exports(record, "/tools")) + shown).splitlines()
    assert values == ["/a b/kubeconfig:/home/me/config", str(tmp_path / "kubectl")]

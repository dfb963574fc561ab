"""A Docker engine that can run privileged containers: the machine's own, or one that we start on the default socket.

It shares the machine's network namespace and its iptables: the tests of the docker backend publish ports on this
machine's 127.0.0.1 and port-forwards start here, so a namespace of its own would put each of them behind `nsenter`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from testbed import debian, kernel
from testbed.paths import CACHE, HERE, LOGS, STATE
from testbed.report import TestbedError, ask, run, say, step, succeeds, there

SOCKET = Path("/var/run/docker.sock")
PID_FILE = Path("/var/run/docker.pid")
LOG = LOGS / "dockerd.log"
STARTED = STATE / "engine.json"
CAP_SYS_RESOURCE = 24  # its bit in /proc/PID/status, capabilities(7)
PROBE = "kafka-lab-testbed/probe:1"
PACKAGES = ("docker.io", "iptables", "busybox-static", "ca-certificates")
#: What dockerd changes on a machine whose network it manages, the IPv6 part for a network like kind's.
KERNEL_SETTINGS = (
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.default.forwarding",
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
)


def up() -> None:
    """Return with an engine that answers and runs a privileged container."""
    name = "Docker engine"
    if answers() and shutil.which("busybox"):
        require_privileged()
        there(name)
        return
    with step(name, expected_s=40):
        debian.install(PACKAGES)
        if not answers():
            start()
        require_privileged()


def answers() -> bool:
    """Whether there is an engine where the docker client looks for it."""
    return succeeds("docker", "version", "--format", "{{.Server.Version}}", timeout_s=15)


def start() -> None:
    """Start dockerd on the default socket in a session of its own, and remember that it was we who did."""
    if os.geteuid() != 0:
        raise TestbedError("No Docker engine answers, and only root can start one.", fix="Start Docker, or be root.")
    forget_stale_pid_file()
    before, policy = kernel.values(KERNEL_SETTINGS), forward_policy()
    LOGS.mkdir(parents=True, exist_ok=True)
    with LOG.open("a") as log:
        dockerd = subprocess.Popen(
            ["dockerd", "--host", f"unix://{SOCKET}", "--config-file", str(write_config())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
    STATE.mkdir(parents=True, exist_ok=True)
    record = {"pid": dockerd.pid, "began": began(dockerd.pid), "kernel": before, "forward_policy": policy}
    STARTED.write_text(json.dumps(record, indent=2) + "\n")
    for _ in range(120):
        if answers():
            return
        if dockerd.poll() is not None:
            break
        time.sleep(0.25)
    tail = "\n".join(f"    {line[:300]}" for line in LOG.read_text(errors="replace").splitlines()[-15:])
    raise TestbedError(f"dockerd does not answer:\n{tail}\n", fix=f"Its whole log is {LOG}.")


def forget_stale_pid_file() -> None:
    """Remove a pid file whose process is gone or is no dockerd: dockerd refuses to start on a live stranger's pid."""
    with suppress(FileNotFoundError, ValueError):
        pid = int(PID_FILE.read_text())
        if command_of(pid) != "dockerd":
            PID_FILE.unlink()


def write_config() -> Path:
    """The engine's configuration, beside our outputs: /etc/docker is the machine owner's."""
    config: dict[str, object] = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
    if not may_sys_resource():
        wrapper = CACHE / "engine" / "kl-runc"
        wrapper.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "images" / "kl-runc", wrapper)
        config |= {"runtimes": {"kl": {"path": str(wrapper)}}, "default-runtime": "kl"}
    path = CACHE / "engine" / "daemon.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path


def may_sys_resource() -> bool:
    """Whether our bounding set, and so dockerd's, has CAP_SYS_RESOURCE."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(bounding, 16) >> CAP_SYS_RESOURCE & 1)


def require_privileged() -> None:
    """Run a privileged container, as kind's nodes are; `TestbedError` with the engine's words if it cannot."""
    if not succeeds("docker", "image", "inspect", PROBE):
        import_probe()
    try:
        ask("docker", "run", "--rm", "--privileged", "--network=none", PROBE, "true")
    except TestbedError as error:
        raise TestbedError(
            f"The Docker engine here runs no privileged container, which a kind node is. {error.what}",
            fix="Stop that engine, and the testbed starts one that can.",
        ) from error
    finally:
        succeeds("docker", "image", "rm", PROBE)


def import_probe() -> None:
    """An image of one static busybox."""
    folder = CACHE / "engine" / "probe"
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", folder / "bin" / "true")
    archive = folder.with_suffix(".tar")
    run("tar", "-C", folder, "-cf", archive, "bin")
    run("docker", "import", archive, PROBE)
    shutil.rmtree(folder)
    archive.unlink()


def down() -> None:
    """Stop the engine if it was we who started it and it has no container left; say so otherwise."""
    pid = ours()
    if pid is None:
        STARTED.unlink(missing_ok=True)
        return
    if left := ask("docker", "ps", "--all", "--format", "{{.Names}}").split():
        say(f"  Docker engine: stays, {len(left)} container(s) of others are on it ({', '.join(left[:3])})")
        return
    record = json.loads(STARTED.read_text())
    bridges = ["docker0", *(f"br-{network}" for network in networks())]
    with step("Docker engine stops", expected_s=3):
        os.kill(pid, signal.SIGTERM)
        for _ in range(120):
            if began(pid) is None:
                break
            time.sleep(0.25)
        else:
            raise TestbedError(f"dockerd (pid {pid}) did not stop within 30 s.", fix=f"Its log is {LOG}.")
        forget_network(bridges, record["forward_policy"])
        kernel.write(record["kernel"])
        STARTED.unlink()


def networks() -> list[str]:
    """The short ids of the engine's bridged networks, whose devices are called br-ID."""
    return ask("docker", "network", "ls", "--filter", "driver=bridge", "--format", "{{.ID}}").split()


def forward_policy() -> str:
    """What becomes of forwarded packets that no rule is for: dockerd makes it DROP."""
    return ask("iptables", "-S", "FORWARD").splitlines()[0].split()[-1]


def forget_network(bridges: Sequence[str], policy: str) -> None:
    """Take away what dockerd leaves behind when it ends: its bridges, its chains and rules, its policy."""
    for bridge in bridges:
        succeeds("ip", "link", "delete", bridge)
    named = re.compile("|".join(["DOCKER", *(re.escape(bridge) for bridge in bridges)]))
    for table in ("filter", "nat"):
        rules = ask("iptables-save", "-t", table).splitlines()
        kept = [rule for rule in rules if not named.search(rule)]
        text = "\n".join(kept).replace(":FORWARD DROP ", f":FORWARD {policy} ") + "\n"
        subprocess.run(["iptables-restore", f"--table={table}"], input=text, text=True, check=True)


def ours() -> int | None:
    """The pid of the dockerd that we started, if it still runs."""
    try:
        record = json.loads(STARTED.read_text())
    except FileNotFoundError:
        return None
    pid = int(record["pid"])
    return pid if record["began"] is not None and began(pid) == record["began"] else None


def began(pid: int) -> str | None:
    """When a process began (clock ticks since boot, with the boot's id); None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else f"{kernel.boot_id()} {fields[19]}"


def command_of(pid: int) -> str:
    """The name of a process's program, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""

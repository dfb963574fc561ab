"""The two small Debian systems that images stand on, made by mmdebstrap from Debian's own packages."""

from __future__ import annotations

import os
from pathlib import Path

from testbed import debian, stamps
from testbed.images.components import NETWORK_ROOT, NODE_ROOT
from testbed.paths import LOGS
from testbed.programs import PINNED
from testbed.report import TestbedError, run, step, there

NETWORK_PACKAGES = ("iptables", "nftables", "ipset", "conntrack", "kmod", "iproute2")
NODE_PACKAGES = (
    *NETWORK_PACKAGES,
    *("systemd", "ethtool", "util-linux", "mount", "libseccomp2", "pigz", "e2fsprogs", "ca-certificates", "curl"),
    *("jq", "procps", "socat"),
)
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
#: What kind's own base image takes away from or changes in systemd: no device, no console, no mount of the machine.
NODE_CHANGES = (
    'rm -f "$1"/usr/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service',
    'rm -f "$1"/usr/lib/systemd/system/multi-user.target.wants/* "$1"/etc/systemd/system/*.wants/*',
    'rm -f "$1"/usr/lib/systemd/system/local-fs.target.wants/* "$1"/usr/lib/systemd/system/basic.target.wants/*',
    'rm -f "$1"/usr/lib/systemd/system/sockets.target.wants/*udev*',
    'rm -f "$1"/usr/lib/systemd/system/sockets.target.wants/*initctl*',
    'echo ReadKMsg=no >> "$1"/etc/systemd/journald.conf',
    'ln -sf /usr/lib/systemd/systemd "$1"/usr/sbin/init',
    'ln -sf /dev/null "$1"/etc/systemd/system/systemd-binfmt.service',
    ': > "$1"/etc/machine-id',
    'rm -rf "$1"/etc/apt/sources.list* "$1"/var/lib/apt/lists/* "$1"/etc/resolv.conf "$1"/etc/hostname',
)
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))


def up() -> None:
    """Have both tars."""
    make("network", NETWORK_ROOT, variant="essential", packages=NETWORK_PACKAGES, changes=(), expected_s=25)
    make("node", NODE_ROOT, variant="minbase", packages=NODE_PACKAGES, changes=NODE_CHANGES, expected_s=40)


def make(
    name: str, out: Path, *, variant: str, packages: tuple[str, ...], changes: tuple[str, ...], expected_s: float
) -> None:
    """One root file system as a tar, unless it is there already."""
    title = f"Debian root file system of {name}"
    suite = PINNED["debian"]
    made = stamps.Stamp(f"root-{name}", inputs=(suite, variant, *packages, *changes, *LEFT_OUT), outputs=(out,))
    if made.is_fresh():
        there(title)
        return
    with step(title, expected_s=expected_s):
        if os.geteuid() != 0:
            raise TestbedError("Only root can make Debian root file systems here.", fix="Run `make testbed` as root.")
        debian.install(("mmdebstrap",))
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = out.with_name(f"unfinished-{out.name}")
        excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
        hooks = [f"--customize-hook={change}" for change in changes]
        options = [f"--variant={variant}", f"--include={','.join(packages)}", *excluded, *hooks]
        run("mmdebstrap", *options, suite, unfinished, *sources(suite), log=LOGS / f"root-{name}.log")
        unfinished.replace(out)
        made.mark()


def sources(suite: str) -> list[Path]:
    """The machine's own list of Debian's packages if it is for `suite`; without one mmdebstrap has a default."""
    return [path for path in SOURCES if path.exists() and suite in path.read_text()][:1]

"""`python3 -m testbed up | down [--purge] | built | engine [--stop] | env | lock NAME...`: see README.md.

Needs Python 3.11 and nothing else.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from testbed import cluster, engine, node, programs, rootfs, snapshots
from testbed.paths import BIN, CACHE, CONTEXT, KUBECONFIG
from testbed.report import TestbedError, complain, duration, say

PROMISE = (
    "about 30 min on two cores when nothing is built (at most 35), 90 s when only the cluster is missing, "
    "and seconds when all is there"
)


def steps() -> list[Callable[[], None]]:
    """The whole way from an empty machine to the cluster; each step looks whether there is anything to do."""
    names = list(programs.all_programs())
    late = [name for name in names if name in snapshots.PROGRAMS_OF_SNAPSHOTS]
    early = [name for name in names if name not in late]
    return [
        engine.up,
        rootfs.up,
        *(partial(programs.up, name) for name in early),
        node.up,
        cluster.up,
        *(partial(programs.up, name) for name in late),
        snapshots.build,
        snapshots.up,
    ]


def up(*, build_only: bool) -> None:
    """From whatever is there to the running cluster; with `build_only` to all that it is made from."""
    began_s = time.monotonic()
    say(f"testbed: {PROMISE}. Outputs go to {CACHE}.")
    with alone():
        for each in steps():
            if not (build_only and each in (cluster.up, snapshots.up)):
                each()
    if build_only:
        say(f"testbed: built, in {duration(time.monotonic() - began_s)}.")
        return
    say(f"testbed: up, in {duration(time.monotonic() - began_s)}. The context is {CONTEXT}; to use it in a shell:")
    say('  eval "$(testbed/env)"')


def down(*, purge: bool) -> None:
    """Take everything off the machine that runs; with `purge` also what was built."""
    began_s = time.monotonic()
    with alone():
        if engine.answers():
            if programs_are_there():
                cluster.down()
            if purge:
                node.forget()
            engine.down()
        elif purge:
            say("  no Docker engine answers: images that are in it stay (`docker image rm` later)")
    if purge:
        shutil.rmtree(CACHE, ignore_errors=True)
    say(f"testbed: down, in {duration(time.monotonic() - began_s)}.")
    if not purge:
        say(f"  What was built stays in {CACHE} and in the engine; `make testbed-down ARGS=--purge` removes it.")
    say("  Go's own caches stay (`go clean -cache -modcache`), and so do Debian's packages.")


def only_engine(*, stop: bool) -> None:
    """An engine for the tests of the docker backend, without a cluster; any that answers will do."""
    with alone():
        if stop:
            if engine.answers():
                engine.down()
        elif not engine.answers():
            engine.up()


def programs_are_there() -> bool:
    """Whether kind is built: without it there can be no cluster of ours."""
    return cluster.KIND.exists()


def env() -> None:
    """What a shell evaluates to work with the cluster."""
    say(f'export PATH="{BIN}:$PATH"')
    say(f'export KUBECONFIG="{KUBECONFIG}"')
    if host := os.environ.get("DOCKER_HOST"):
        say(f'export DOCKER_HOST="{host}"')


@contextmanager
def alone() -> Iterator[None]:
    """One at a time per user: a second one waits and then finds everything there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """The command line; 1 when something failed, with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python3 -m testbed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="build what is missing and start the cluster").add_argument(
        "--build-only", action="store_true", help="start no cluster"
    )
    commands.add_parser("down", help="delete the cluster").add_argument(
        "--purge", action="store_true", help="remove what was built, too"
    )
    commands.add_parser("engine", help="only start a Docker engine, when none answers").add_argument(
        "--stop", action="store_true", help="stop it again, if it was we who started it and nothing uses it"
    )
    commands.add_parser("built", help="succeed if `up` has only to start the cluster")
    commands.add_parser("env", help="print what a shell evaluates to use the cluster")
    commands.add_parser("lock", help="resolve pinned Go modules again (maintainers)").add_argument("name", nargs="*")
    wanted = parser.parse_args()
    try:
        if wanted.command == "up":
            up(build_only=wanted.build_only)
        elif wanted.command == "down":
            down(purge=wanted.purge)
        elif wanted.command == "engine":
            only_engine(stop=wanted.stop)
        elif wanted.command == "built":
            return 0 if node.stamp().is_fresh() else 1
        elif wanted.command == "env":
            env()
        else:
            for name in wanted.name or programs.all_programs():
                programs.lock(name)
    except TestbedError as error:
        complain(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The link proxy: one small process a cluster, in front of its listeners, that can cut, slow and silence links.

It listens where nodes are advertised and passes on to where they are bound, on loopback only. The supervisor starts
it like any node of the cluster, so it dies in all the same ways. What is wrong with which link it is told over a
private Unix socket (`links.py` is the other end). `request_header.py` says how it knows who speaks. Standard library
only, so that it is up in a blink.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labsupport.cluster.proxy_link import End, Link, Passage, Rule
from labsupport.cluster.request_header import NotKafka, client_id, node_of

HOST = "127.0.0.1"
CLIENTS = "clients"
BACKLOG = 128


@dataclass(frozen=True, kw_only=True)
class Door:
    """One port of the proxy, and the port of `node` behind it. `source` is who comes this way; "": a header says it."""

    port: int
    target_port: int
    node: str
    source: str = ""


class Proxy:
    """All doors and links of a cluster. `names`: the names of the Kafka nodes by their ids."""

    def __init__(self, doors: list[Door], names: dict[int, str]) -> None:
        self.doors, self.names = doors, names
        self.links: dict[frozenset[str], Link] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def link(self, one: str, other: str) -> Link:
        """The link between two ends, whichever comes first."""
        return self.links.setdefault(frozenset((one, other)), Link())

    async def run(self, control: Path) -> None:
        """Serve until killed."""
        loop = asyncio.get_running_loop()
        for door in self.doors:
            await loop.create_server(lambda door=door: self._caller(door), HOST, door.port, backlog=BACKLOG)  # type: ignore[misc]
        control.unlink(missing_ok=True)
        os.umask(0o177)
        await asyncio.start_unix_server(self._controlled, control)
        await asyncio.Event().wait()

    # -- callers

    def _caller(self, door: Door) -> End:
        """Whoever connects is heard until he is known; then his passage begins."""
        head = bytearray()

        def made() -> None:
            if door.source:
                self._begin(door.source, end, b"", door)

        def hear(data: bytes | None) -> None:
            if data is None:
                end.close()
                return
            head.extend(data)
            if source := self._who(bytes(head), door.node):
                self._begin(source, end, bytes(head), door)

        def gone(which: End, error: Exception | None) -> None:
            if which.fed_by is not None:
                which.fed_by.passage.end_gone(which, error)

        end = End(hear, gone, made)
        return end

    def _who(self, head: bytes, node: str) -> str:
        """A node's name, or "clients" for everybody else; "" while the header is not complete."""
        try:
            client = client_id(head)
        except NotKafka:
            return CLIENTS
        if client is None:
            return ""
        caller = node_of(client)
        source = self.names.get(caller, CLIENTS) if caller is not None else CLIENTS
        self.link(source, node).met(client)
        return source

    def _begin(self, source: str, end: End, head: bytes, door: Door) -> None:
        passage = Passage(self.link(source, door.node), end, head)
        task = asyncio.get_running_loop().create_task(passage.open(HOST, door.target_port))
        self.tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self.tasks.discard)

    # -- control

    async def _controlled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            try:
                request = json.loads(line)
                answer = getattr(self, f"do_{request.pop('do')}")(**request)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    def do_set(self, name: str, between: list[list[str]], **rule: Any) -> dict[str, Any]:
        """Lay a rule on every link between an end of the first side and one of the second."""
        for one in between[0]:
            for other in between[1]:
                link = self.link(one, other)
                link.set_rules({**link.rules, name: Rule(**rule)})
        return {}

    def do_lift(self, name: str) -> dict[str, Any]:
        """Take a rule away, wherever it lies."""
        for link in self.links.values():
            if name in link.rules:
                link.set_rules({rule: what for rule, what in link.rules.items() if rule != name})
        return {}

    def do_traffic(self) -> dict[str, Any]:
        """The counts of all links."""
        return {
            "links": [
                {"ends": sorted(ends), "open": len(link.passages), **asdict(link.counts)}
                for ends, link in self.links.items()
            ]
        }


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    doors = [Door(**door) for door in settings["doors"]]
    names = {int(node_id): name for node_id, name in settings["names"].items()}
    asyncio.run(Proxy(doors, names).run(Path(settings["control"])))


if __name__ == "__main__":
    main()

"""The links of a cluster that was started with `links=True`: what is wrong with them, and what passed over them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labsupport.cluster.proxy import CLIENTS, Door
from labsupport.cluster.supervised import exchange
from labsupport.core.errors import LabError, NotRunning
from labsupport.core.folders import runtime_folder

PROXY = "links"  # the name of the proxy's process


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What the proxy has counted on one link, both ways, since the cluster began.

    `open`: connections at this moment. `reset`: those that it reset or refused. `late_bytes` are bytes that a delay or
    a limit held back, `lost_bytes` those that vanished. `client_ids`: the names under which nodes and clients came,
    where the proxy had to look (not on the CLIENT listener).
    """

    open: int = 0
    reset: int = 0
    passed_bytes: int = 0
    late_bytes: int = 0
    lost_bytes: int = 0
    client_ids: tuple[str, ...] = ()

    @classmethod
    def sum(cls, links: Iterable[Traffic]) -> Traffic:
        """Of several links."""
        all_links = list(links)
        numbers = ("open", "reset", "passed_bytes", "late_bytes", "lost_bytes")
        names = sorted({name for link in all_links for name in link.client_ids})
        return cls(**{n: sum(getattr(link, n) for link in all_links) for n in numbers}, client_ids=tuple(names))


@dataclass(frozen=True)
class Links:
    """A handle to a cluster's link proxy. An *end* of a link is "clients" or the name of a node, such as "broker-1".

    Safe from any thread and any process. Every method raises `NotRunning` when the proxy is gone.
    """

    cluster: str

    @property
    def socket_path(self) -> Path:
        """Private to the user, beside the supervisor's."""
        return runtime_folder() / f"{self.cluster}.link"

    def set(
        self,
        rule: str,
        one: Sequence[str],
        other: Sequence[str],
        *,
        cut: bool = False,
        half_open: bool = False,
        delay_ms: float = 0,
        kbit_per_s: float = 0,
    ) -> None:
        """Break every link between an end of `one` and an end of `other`, until the rule of this name is lifted.

        Several rules add up: delays (each way) are summed, and the least bandwidth counts (0: no limit).
        """
        what = {
            "cut": cut,
            "half_open": half_open,
            "delay_s": delay_ms / 1000,
            "bytes_per_s": kbit_per_s * 1000 / 8,
        }
        self._ask("set", name=rule, between=[list(one), list(other)], **what)

    def lift(self, rule: str) -> None:
        """Take a rule away; no error when it is not there (any more)."""
        self._ask("lift", name=rule)

    def traffic(self, one: Sequence[str] | str, other: Sequence[str] | str) -> Traffic:
        """The counts of all links between an end of `one` and an end of `other`."""
        ones, others = ([side] if isinstance(side, str) else side for side in (one, other))
        wanted = {frozenset((a, b)) for a in ones for b in others}
        return Traffic.sum(traffic for ends, traffic in self.all_traffic().items() if ends in wanted)

    def all_traffic(self) -> Mapping[frozenset[str], Traffic]:
        """The counts of each link over which something came, by its two ends."""
        return {frozenset(link.pop("ends")): _traffic(link) for link in self._ask("traffic")["links"]}

    def is_up(self) -> bool:
        """Whether the proxy answers."""
        try:
            self._ask("traffic")
        except NotRunning:
            return False
        return True

    def _ask(self, do: str, **arguments: object) -> dict[str, Any]:
        try:
            answer = exchange(self.socket_path, {"do": do, **arguments})
        except (FileNotFoundError, ConnectionError, TimeoutError) as error:
            raise NotRunning(
                f"The link proxy of {self.cluster} does not answer.",
                fix="Start a new cluster with Cluster.start(links=True).",
            ) from error
        if "error" in answer:
            raise LabError(f"The link proxy of {self.cluster} refused: {answer['error']}.")
        return answer


def _traffic(counts: dict[str, Any]) -> Traffic:
    return Traffic(**{**counts, "client_ids": tuple(counts["client_ids"])})


def proxy_settings(links: Links, doors: Sequence[Door], names: Mapping[int, str]) -> str:
    """The file from which the proxy starts."""
    return json.dumps(
        {
            "control": str(links.socket_path),
            "doors": [vars(door) for door in doors],
            "names": {str(node_id): name for node_id, name in names.items()},
        }
    )


__all__ = ["CLIENTS", "PROXY", "Door", "Links", "Traffic", "proxy_settings"]

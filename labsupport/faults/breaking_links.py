"""What faults on links share: the ends, and the rule that is laid on every link between them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from labsupport.cluster.broker import Broker
from labsupport.cluster.links import CLIENTS, Links
from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.faults.breaking import Breaking, Fault, Step
from labsupport.faults.roles import Role

End = Broker | Role | str
Side = End | Sequence[End]


class BreakingLinks(Breaking):
    """Lays one rule on every link between an end of one side and an end of the other, and lifts it at the end.

    An end is "clients", a node or a role. The sides of a link must differ, and belong to one cluster.
    """

    mended = "mended"

    def __init__(self, one: Side, other: Side, **rule: Any) -> None:
        super().__init__()
        self._sides = (self._as_list(one), self._as_list(other))
        self._rule = rule

    def begin(self) -> tuple[Fault, list[Step]]:
        """The ends at this moment, and the one step that breaks all links between them."""
        sides = [[end.resolve() if isinstance(end, Role) else end for end in side] for side in self._sides]
        nodes = {end.name: end for side in sides for end in side if not isinstance(end, str)}
        names = [tuple(dict.fromkeys(end if isinstance(end, str) else end.name for end in side)) for side in sides]
        both = sorted(set(names[0]) & set(names[1]))
        if both:
            raise BadInput(f"{both[0]} is on both sides of the link.", fix=self._example())
        links = _of_one_cluster(list(nodes.values()))
        rule = secrets.token_hex(6)
        fault = Fault(
            self.kind,
            nodes=tuple(nodes),
            node_ids=tuple(node.node_id for node in nodes.values()),
            between=tuple(names),
        )
        step = Step(
            f"The link between {' and '.join(', '.join(side) for side in names)}",
            list(nodes.values()),
            damage=partial(links.set, rule, *names, **self._rule),
            mend=partial(links.lift, rule),
        )
        return fault, [step]

    def _as_list(self, side: Side) -> list[End]:
        ends = _listed(side)
        for end in ends:
            if not isinstance(end, Role) and end != CLIENTS and not hasattr(end, "node_id"):
                raise BadInput(f"{printable(repr(end), limit=60)} is no end of a link.", fix=self._example())
        if not ends:
            raise BadInput(f"A side of faults.{self._function()}() is empty.", fix=self._example())
        return ends

    def _function(self) -> str:
        return self.kind.replace(" ", "_").replace("-", "_")

    def _example(self) -> str:
        name = self._function()
        return f'Write faults.{name}("clients", cluster.broker(1)), or give lists of brokers.'


def _listed(side: Side) -> list[End]:
    return list(side) if isinstance(side, Sequence) and not isinstance(side, str) else [side]


def _of_one_cluster(nodes: list[Broker]) -> Links:
    """The links to which all nodes belong. Raises `BadInput`, also when the cluster was started without them."""
    if not nodes:
        raise BadInput("Clients have no links between themselves.", fix="Name a broker on one of the sides.")
    found = {node.links for node in nodes}
    if len(found) > 1:
        raise BadInput("The ends of the link belong to different clusters.", fix="Name nodes of one cluster.")
    return found.pop()

"""Claims, and what stands behind each: the class that makes volumes, the volume, where it can be used, and its pod.

The text says what is the same on every machine: whether a claim is bound, how far its volume reaches, and whether its
pod is there. Classes, volumes and nodes are in the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labsupport.views.display import Display
from labsupport.views.map_svg import WIDTH
from labsupport.views.markup import Markup, join, shorten, tag, text

if TYPE_CHECKING:
    from labsupport.cluster.kubernetes.space_facts import Claim, Event, Pod, StorageClass

_TABLE = "border-collapse:collapse;margin:.4em 0;font-size:90%"
_CELL = "text-align:left;vertical-align:top;padding:.1em .9em .1em 0;white-space:nowrap"
_WIDE = "text-align:left;vertical-align:top;padding:.1em .9em .1em 0;min-width:20em"
_LONGEST_NAME, _LONGEST_MESSAGE = 60, 600


def volumes_display(claims: Sequence[Claim], classes: Sequence[StorageClass], pods: Sequence[Pod]) -> Display:
    """The claims in their order, each with its chain."""
    heads = ("claim", "is", "class", "volume", "can be used on", "its pod")
    rows = [_row(claim, _user(claim, pods)) for claim in claims]
    return Display(
        tuple(claims),
        _figure(heads, rows, join(*_about(claims, classes)), "volumes"),
        "\n".join(_line(claim, _user(claim, pods)) for claim in claims) or "no claims",
    )


def _user(claim: Claim, pods: Sequence[Pod]) -> Pod | None:
    return next((pod for pod in pods if claim.name in pod.claims), None)


def _line(claim: Claim, pod: Pod | None) -> str:
    who = shorten(claim.name, _LONGEST_NAME)
    if claim.phase != "Bound":
        return f"{who}: {shorten(claim.phase, 20).lower() or 'unknown'}, no volume"
    if not claim.pinned_to:
        return f"{who}: bound to a volume that may be used on any node"
    there = pod is not None and pod.node in claim.pinned_to
    which = f"that of {shorten(pod.name, _LONGEST_NAME)}" if there and pod is not None else "and its pod is not there"
    nodes = "one node" if len(claim.pinned_to) == 1 else f"{len(claim.pinned_to)} nodes"
    return f"{who}: bound to a volume on {nodes}, {which}"


def _row(claim: Claim, pod: Pod | None) -> Sequence[object]:
    return (
        claim.name,
        claim.phase.lower(),
        claim.storage_class or "–",
        shorten(claim.volume, 12) or "–",
        ", ".join(claim.pinned_to) or ("any node" if claim.volume else "–"),
        "–" if pod is None else f"{pod.name}{_where(claim, pod)}",
    )


def _where(claim: Claim, pod: Pod) -> str:
    if not pod.node:
        return ", on no node yet"
    return "" if not claim.pinned_to or pod.node in claim.pinned_to else f", on {pod.node}"


def _about(claims: Sequence[Claim], classes: Sequence[StorageClass]) -> list[str]:
    used = [each for each in classes if each.name in {claim.storage_class for claim in claims}]
    told = [
        f"The class {shorten(each.name, _LONGEST_NAME)} has volumes made by "
        f"{shorten(each.provisioner, _LONGEST_NAME)}, {'when a pod wants one' if each.waits else 'at once'}. "
        for each in used
    ]
    bound = sum(claim.phase == "Bound" for claim in claims)
    return [f"{bound} of {len(claims)} claims have a volume. ", *told]


def events_display(events: Sequence[Event]) -> Display:
    """What Kubernetes wrote down, each sentence once, the youngest last."""
    each = list({(event.name, event.reason, event.message): event for event in events}.values())
    heads = ("about", "reason", "says", "by")
    rows = [(e.name, e.reason, tag("span", text(shorten(e.message, _LONGEST_MESSAGE))), e.source) for e in each]
    reasons = dict.fromkeys((shorten(e.name, _LONGEST_NAME), shorten(e.reason, _LONGEST_NAME)) for e in each)
    return Display(
        tuple(each),
        _figure(heads, rows, "", "events", wide=2),
        "\n".join(f"{name}: {reason}" for name, reason in reasons) or "nothing was written down",
    )


def _figure(heads: Sequence[str], rows: Sequence[Sequence[object]], caption: str, what: str, wide: int = -1) -> Markup:
    head = tag("tr", *(tag("th", text(word), scope="col", style=_CELL) for word in heads))
    lines = [
        tag(
            "tr",
            tag("th", text(row[0]), scope="row", style=_CELL),
            *(tag("td", text(v), style=_WIDE if n == wide else _CELL) for n, v in enumerate(row[1:], 1)),
            style="background:none",
        )
        for row in rows
    ]
    under = tag("figcaption", text(caption), style="margin:.3em 0") if caption else None
    return tag(
        "figure",
        tag("div", tag("table", head, *lines, style=_TABLE), style="overflow-x:auto"),
        under,
        style=f"margin:0;max-width:{WIDTH}px",
        data_testid=what,
    )

"""Removes namespaces of ours that nobody owns any more: their owner on this machine is dead, or they are too old."""

from __future__ import annotations

import os
import time

from labsupport.cluster.kubernetes.api import Api, ApiError, Object
from labsupport.cluster.kubernetes.names import CREATED, MANAGED_BY, MANAGER, OWNER, PREFIX
from labsupport.cluster.owners import is_dead
from labsupport.core.errors import BadInput

HOURS_VARIABLE, HOURS = "KAFKA_LAB_KUBERNETES_HOURS", 8.0


def oldest_h() -> float:
    """After how many hours a namespace is taken for forgotten, whoever made it. Raises `BadInput`."""
    words = os.environ.get(HOURS_VARIABLE)
    try:
        hours = HOURS if not words else float(words)
    except ValueError:
        hours = 0
    if not hours > 0:
        raise BadInput(f"{HOURS_VARIABLE} is {words!r}.", fix="Use hours, such as 8.")
    return hours


def sweep(api: Api, *, everything: bool = False) -> list[str]:
    """Begin to delete what is dead or old, or all of ours; returns the names of the namespaces. Waits for none."""
    try:
        found = api.list("Namespace", labelSelector=f"{MANAGED_BY}={MANAGER}")
    except ApiError as error:
        if error.status == 403 and not everything:  # who may make namespaces may not always list them
            return []
        raise
    names = [
        item["metadata"]["name"] for item in found if ours(item) and (everything or is_forgotten(item, time.time()))
    ]
    for name in names:
        api.delete("Namespace", name)
    return names


def ours(namespace: Object) -> bool:
    """Whether it is a cluster's, and not on its way out."""
    meta = namespace["metadata"]
    return meta["name"].startswith(PREFIX) and OWNER in meta.get("annotations", {}) and "deletionTimestamp" not in meta


def is_forgotten(namespace: Object, now: float) -> bool:
    """Whether its owner on this machine is dead, or it is older than the setting. `now`: seconds since 1970."""
    annotations = namespace["metadata"]["annotations"]
    if is_dead(annotations[OWNER]):
        return True
    created = annotations.get(CREATED, "")
    return created.isdecimal() and now - int(created) > oldest_h() * 3600

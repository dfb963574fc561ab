"""kafka-lab: real Kafka clusters for notebooks. The public names, and nothing else; each is loaded when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labsupport import claims, faults
    from labsupport.clients import flights
    from labsupport.cluster.cluster import Cluster
    from labsupport.core.errors import LabError
    from labsupport.observe import Recording
    from labsupport.teaching import open_lab, predict
    from labsupport.views import show

__all__ = ["Cluster", "LabError", "Recording", "claims", "faults", "flights", "open_lab", "predict", "show"]

_HOMES = {
    "Cluster": ("labsupport.cluster.cluster", "Cluster"),
    "LabError": ("labsupport.core.errors", "LabError"),
    "Recording": ("labsupport.observe", "Recording"),
    "claims": ("labsupport.claims", None),
    "faults": ("labsupport.faults", None),
    "flights": ("labsupport.clients.flights", None),
    "open_lab": ("labsupport.teaching", "open_lab"),
    "predict": ("labsupport.teaching", "predict"),
    "show": ("labsupport.views.show", None),
}


def __getattr__(name: str) -> object:
    """Load a public name (PEP 562), so that the supervisor and the command line start without Jupyter's libraries."""
    if name not in _HOMES:
        raise AttributeError(f"module 'labsupport' has no attribute {name!r}")
    from labsupport import _wiring

    _wiring.wire()
    module_name, attribute = _HOMES[name]
    module = importlib.import_module(module_name)
    value: object = module if attribute is None else getattr(module, attribute)
    globals()[name] = value
    return value

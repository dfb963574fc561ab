"""The history checker: what became of each record, from operations alone; it knows neither files nor clusters.

It takes each operation once, in columns of numbers rather than objects, and never decides what is shown.
Start with `checker.Checker`; `observe.history` hands it a Recording.
"""

from labsupport.observe.checking.checker import Checker
from labsupport.observe.checking.findings import Findings

__all__ = ["Checker", "Findings"]

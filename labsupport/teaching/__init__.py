"""What a page does with its reader: it asks for a prediction before a run and sets it beside the outcome later; it
opens a lab, looks at what the reader made of it, and gives a hint.

Nothing here is ever required to go on, and nothing is graded. Start with `predict` and `open_lab`; whoever writes a lab
starts with `check` and the questions of `looking`.
"""

from labsupport.teaching.checks import Check, Report, check
from labsupport.teaching.lab import Lab, open_lab
from labsupport.teaching.looking import committed, members, read_values, settings, watermarks
from labsupport.teaching.predicting import Outcome, Prediction, predict

__all__ = [
    "Check",
    "Lab",
    "Outcome",
    "Prediction",
    "Report",
    "check",
    "committed",
    "members",
    "open_lab",
    "predict",
    "read_values",
    "settings",
    "watermarks",
]

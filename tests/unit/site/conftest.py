"""The extensions of the site are imported as Sphinx does it: by their own names."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "docs" / "extensions"))

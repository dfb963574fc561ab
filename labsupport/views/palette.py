"""The four colours that carry data (Okabe-Ito; each above 3:1 on white and on JupyterLab's dark ground), and greys.

Colour never speaks alone: whatever uses one of these adds a marker, a dash or a word.
"""

from __future__ import annotations

LEADER = "#0072B2"  # leader, producer
FOLLOWER = "#009E73"  # follower, consumer
BROKEN = "#D55E00"  # lost, late, broken
OTHER = "#CC79A7"  # comparison
GREY = "#787878"  # scaffolding, and labels where the theme's colour cannot be had
INK = "currentColor"  # the theme's text colour, inherited by inline SVG
FONT = "var(--jp-ui-font-family, system-ui, sans-serif)"

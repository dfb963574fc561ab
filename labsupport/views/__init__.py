"""What the reader sees: the live cluster map, timelines, cards, and the formatters that let objects draw themselves.

It reads Recordings and the values of other rooms, and never changes a cluster except by a button that says so. Every
display has three forms: live (where a kernel runs), still HTML, and text without a port, pid, date or duration. Start
with `show`, or with `map.ClusterMap`.
"""

from labsupport.views.formatters import install_formatters

__all__ = ["install_formatters"]

"""What happens to a cluster, written down on one clock, and what follows from it: pictures, failovers, verdicts.

It never draws and never changes a cluster; `watch` only looks, and everything else reads a Recording's file.
Start with `recording.Recording`.
"""

import logging

from labsupport.observe.failover import Failover, failover, failovers
from labsupport.observe.follow import Follower
from labsupport.observe.format import ClusterFacts, Entry, Header
from labsupport.observe.history import HistoryVerdict, verdict
from labsupport.observe.picture import ClusterPicture, Node, Partition, state_of
from labsupport.observe.recording import Recording
from labsupport.observe.shelf import recordings_folder
from labsupport.observe.watcher import Watcher, watch

__all__ = [
    "ClusterFacts",
    "ClusterPicture",
    "Entry",
    "Failover",
    "Follower",
    "Header",
    "HistoryVerdict",
    "Node",
    "Partition",
    "Recording",
    "Watcher",
    "failover",
    "failovers",
    "recordings_folder",
    "state_of",
    "verdict",
    "watch",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent in a notebook

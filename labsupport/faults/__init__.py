"""Break one thing for the length of a block, and heal exactly that, however the block ends.

A fault never asks whether the cluster recovered (`observe` says so) and never heals what it found broken.
Start with `killed`; each file holds one fault.
"""

from labsupport.faults.breaking import Fault
from labsupport.faults.disconnected import disconnected
from labsupport.faults.disk_full import disk_full
from labsupport.faults.image_unpullable import image_unpullable
from labsupport.faults.isolated import isolated
from labsupport.faults.killed import killed
from labsupport.faults.link_cut import link_cut
from labsupport.faults.link_half_open import link_half_open
from labsupport.faults.link_slowed import link_slowed
from labsupport.faults.log_dir_lost import log_dir_lost
from labsupport.faults.node_cordoned import node_cordoned
from labsupport.faults.node_drained import node_drained
from labsupport.faults.node_frozen import node_frozen
from labsupport.faults.node_gone import node_gone
from labsupport.faults.paused import paused
from labsupport.faults.pod_deleted import pod_deleted
from labsupport.faults.quota_exhausted import quota_exhausted
from labsupport.faults.roles import controller, follower_of, leader_of
from labsupport.faults.stopped import stopped
from labsupport.faults.tail_torn import tail_torn
from labsupport.faults.volume_lost import volume_lost

__all__ = [
    "Fault",
    "controller",
    "disconnected",
    "disk_full",
    "follower_of",
    "image_unpullable",
    "isolated",
    "killed",
    "leader_of",
    "link_cut",
    "link_half_open",
    "link_slowed",
    "log_dir_lost",
    "node_cordoned",
    "node_drained",
    "node_frozen",
    "node_gone",
    "paused",
    "pod_deleted",
    "quota_exhausted",
    "stopped",
    "tail_torn",
    "volume_lost",
]

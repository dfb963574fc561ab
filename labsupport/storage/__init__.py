"""What a broker keeps on disk, read without its help: record batches, offset and time indexes, byte by byte.

It never writes to a broker's files and never asks a running broker to explain them. Start with `read_log`;
`segments` has the formats.
"""

from labsupport.storage.anatomy import Anatomy, anatomy
from labsupport.storage.files import PartitionLog, Seek, Segment, read_log, wait_for_deletion
from labsupport.storage.kafka_dump import Dump, kafkas_dump, our_dump
from labsupport.storage.spread import Spread, sent_as, spread

__all__ = [
    "Anatomy",
    "Dump",
    "PartitionLog",
    "Seek",
    "Segment",
    "Spread",
    "anatomy",
    "kafkas_dump",
    "our_dump",
    "read_log",
    "sent_as",
    "spread",
    "wait_for_deletion",
]

"""What has to be had before anything runs: Java, Kafka and ZooKeeper, uPlot, the flights, start-up caches.

Found in the user's cache or fetched once by the committed lock, checked by SHA-256, and never fetched again. It starts
no cluster and never resolves a version. Start with `kafka_home`.
"""

from labsupport.provision.aot import Program, aot_status
from labsupport.provision.background import train_in_background
from labsupport.provision.data import UPlot, flights_archive, uplot_files
from labsupport.provision.everything import fetch_all
from labsupport.provision.gate import cluster_is_starting
from labsupport.provision.kafka import KAFKA_VERSIONS, KafkaHome, kafka_home
from labsupport.provision.kraft import kraft_bootstrap

__all__ = [
    "KAFKA_VERSIONS",
    "KafkaHome",
    "Program",
    "UPlot",
    "aot_status",
    "cluster_is_starting",
    "fetch_all",
    "flights_archive",
    "kafka_home",
    "kraft_bootstrap",
    "train_in_background",
    "uplot_files",
]

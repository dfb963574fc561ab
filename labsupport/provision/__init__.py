"""What has to be had before anything runs: Java, Kafka and ZooKeeper, uPlot, the flights, start-up caches.

Found in the user's cache or fetched once by the committed lock, checked by SHA-256, and never fetched again. It starts
no cluster and never resolves a version. Start with `kafka_home`.
"""

from labsupport.provision.kafka import KAFKA_VERSIONS, KafkaHome, Program, kafka_home

__all__ = ["KAFKA_VERSIONS", "KafkaHome", "Program", "kafka_home"]

"""What can be made of a `Connection`: clients of Kafka, metadata, a load generator, the stream of flights.

It never starts, stops or knows a broker process, and imports a Kafka client only when one is made.
Start with `connection.Connection`.
"""

from labsupport.clients.connection import Connection

__all__ = ["Connection"]

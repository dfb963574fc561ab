"""How a send ended, from what librdkafka says of it."""

from __future__ import annotations

from typing import Literal

Outcome = Literal["acked", "failed", "unknown"]

# About the record itself, so the same at every attempt; a broker checks them before it appends.
_NEVER_WRITTEN = frozenset(
    {
        "MSG_SIZE_TOO_LARGE",
        "RECORD_LIST_TOO_LARGE",
        "INVALID_MSG_SIZE",
        "INVALID_RECORD",
        "INVALID_TIMESTAMP",
        "INVALID_REQUIRED_ACKS",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    }
)
# About the moment: a broker refuses before it appends, or we gave up before we sent. But an earlier attempt may have
# been written and its acknowledgement lost, and librdkafka does not tell Python how many attempts there were.
_NOT_WRITTEN_THIS_TIME = frozenset(
    {
        "NOT_ENOUGH_REPLICAS",
        "NOT_LEADER_FOR_PARTITION",
        "LEADER_NOT_AVAILABLE",
        "UNKNOWN_TOPIC_OR_PART",
        "TOPIC_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "INVALID_MSG",
        "POLICY_VIOLATION",
        "_PURGE_QUEUE",
        "_UNKNOWN_TOPIC",
        "_UNKNOWN_PARTITION",
    }
)


def outcome_of(error_name: str | None, *, retries: bool) -> Outcome:
    """The outcome of a send whose delivery report carries this error (`KafkaError.name()`; None is success).

    "failed" only when the record is certainly not in the log. Everything else is "unknown": time-outs, broken
    connections, and NOT_ENOUGH_REPLICAS_AFTER_APPEND, whose record *was* written. `retries`: may librdkafka have tried
    before? With `retries=0` the refusals of the moment are certain too.
    """
    if error_name is None:
        return "acked"
    certain = error_name in _NEVER_WRITTEN or (not retries and error_name in _NOT_WRITTEN_THIS_TIME)
    return "failed" if certain else "unknown"

"""A send has failed only when its record is certainly not in the log."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from labsupport.clients.outcomes import outcome_of


@pytest.mark.parametrize(
    ("code", "with_retries", "without_retries"),
    [
        # about the record: checked before anything is appended, the same at each attempt
        (KafkaError.MSG_SIZE_TOO_LARGE, "failed", "failed"),
        (KafkaError.RECORD_LIST_TOO_LARGE, "failed", "failed"),
        (KafkaError.INVALID_RECORD, "failed", "failed"),
        (KafkaError.INVALID_TIMESTAMP if hasattr(KafkaError, "INVALID_TIMESTAMP") else 32, "failed", "failed"),
        # refused this time, but an earlier attempt may have been written
        (KafkaError.NOT_ENOUGH_REPLICAS, "unknown", "failed"),
        (KafkaError.NOT_LEADER_FOR_PARTITION, "unknown", "failed"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "unknown", "failed"),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, "unknown", "failed"),
        (KafkaError._PURGE_QUEUE, "unknown", "failed"),
        (KafkaError._UNKNOWN_TOPIC, "unknown", "failed"),
        # may have been written, or was
        (KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND, "unknown", "unknown"),
        (KafkaError.REQUEST_TIMED_OUT, "unknown", "unknown"),
        (KafkaError.KAFKA_STORAGE_ERROR, "unknown", "unknown"),
        (KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "unknown", "unknown"),
        (KafkaError.NETWORK_EXCEPTION, "unknown", "unknown"),
        (KafkaError.UNKNOWN, "unknown", "unknown"),
        (KafkaError._MSG_TIMED_OUT, "unknown", "unknown"),
        (KafkaError._TRANSPORT, "unknown", "unknown"),
        (KafkaError._TIMED_OUT, "unknown", "unknown"),
        (KafkaError._PURGE_INFLIGHT, "unknown", "unknown"),
        (KafkaError._DESTROY, "unknown", "unknown"),
    ],
)
def test_what_an_error_says_about_the_record(code: int, with_retries: str, without_retries: str) -> None:
    """Retries make a refusal doubtful: the attempt before it may have been written and its answer lost."""
    name = KafkaError(code).name()
    assert outcome_of(name, retries=True) == with_retries
    assert outcome_of(name, retries=False) == without_retries


def test_no_error_is_an_acknowledgement() -> None:
    """Whatever the retries."""
    assert outcome_of(None, retries=True) == outcome_of(None, retries=False) == "acked"


def test_an_error_nobody_has_heard_of_is_unknown() -> None:
    """A newer broker may invent one."""
    assert outcome_of("SOMETHING_NEW", retries=False) == "unknown"

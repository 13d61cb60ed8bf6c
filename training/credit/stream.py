"""Names in the stored stream, for processes that only send it."""

from datetime import timedelta

from training.stream import Names

NAMES = Names(
    entity="application_id",
    event_time="submitted_at",
    batch_key="applications",
    file="applications.jsonl",
    # Whether a loan defaults within 90 days is known after 90 days, and not earlier for those that do: a table that
    # held early defaults alone would make every young month look terrible.
    label_delay=timedelta(days=90),
)

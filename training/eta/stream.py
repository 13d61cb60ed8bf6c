"""Names in the stored stream, for processes that only send it."""

from datetime import timedelta

from training.stream import Names

NAMES = Names(
    entity="order_id",
    event_time="placed_at",
    batch_key="orders",
    file="orders.jsonl",
    label_delay=timedelta(hours=2),
    lasts=timedelta(minutes=1),
)

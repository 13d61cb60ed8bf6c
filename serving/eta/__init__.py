"""Delivery times: request schema, courier lookup and preprocessing."""

from serving.eta.preprocess import Preprocessor
from serving.eta.schema import SAMPLE, Batch, Order

TITLE = "Delivery times"
ENTITY = "order_id"
EVENT_TIME = "placed_at"
PREDICTION_FIELD = "eta_minutes"
NOUN = "order"
BATCH_KEY = "orders"

__all__ = [
    "BATCH_KEY", "ENTITY", "EVENT_TIME", "NOUN", "PREDICTION_FIELD", "SAMPLE", "TITLE", "Batch", "Order", "Preprocessor",
]  # fmt: skip

"""Default risk of loan applications: request schema, bureau lookup, preprocessing, scorecard and lending policy."""

from serving.credit.policy import Policy
from serving.credit.preprocess import Preprocessor
from serving.credit.schema import SAMPLE, Batch, Order
from serving.credit.scorecard import Scorecard

TITLE = "Credit risk"
ENTITY = "application_id"
EVENT_TIME = "submitted_at"
PREDICTION_FIELD = "default_probability"
DECISION_FIELD = "decision"
NOUN = "application"
BATCH_KEY = "applications"
predictor = Scorecard

__all__ = [
    "BATCH_KEY", "DECISION_FIELD", "ENTITY", "EVENT_TIME", "NOUN", "PREDICTION_FIELD", "SAMPLE", "TITLE", "Batch",
    "Order", "Policy", "Preprocessor", "predictor",
]  # fmt: skip

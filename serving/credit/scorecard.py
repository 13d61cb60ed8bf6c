"""The scorecard's answer as one number: the probability of the class that means a default."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

POSITIVE = 1.0
"""Class of the training target that means a default."""


class Scorecard:
    """Wraps the loaded model, which answers one column of probabilities for each class."""

    def __init__(self, model: Any) -> None:
        self.model = model
        # Columns follow the order of the classes in training, which is nobody's promise.
        self.column = list(model.get_raw_model().classes_).index(POSITIVE)

    def predict(self, features: "pd.DataFrame") -> Any:
        """Probability of default, one per row."""
        return self.model.predict(features)[:, self.column]

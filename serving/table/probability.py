"""A classifier's answer as one number: the probability of the class that is asked about."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class Probability:
    """Wraps the loaded model, which answers one column of probabilities for each class of its target."""

    def __init__(self, model: Any, positive: float) -> None:
        self.model = model
        # Columns follow the order of the classes in training, which is nobody's promise.
        self.column = list(model.get_raw_model().classes_).index(positive)

    def predict(self, features: "pd.DataFrame") -> Any:
        """Probability of the class, one per row."""
        return self.model.predict(features)[:, self.column]

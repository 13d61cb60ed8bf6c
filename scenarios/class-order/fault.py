"""The scorecard takes the column of the wrong class, in a rewrite that also makes the estimator warn."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/credit/scorecard.py"
_LOOKUP = (
    "        # Columns follow the order of the classes in training, which is nobody's promise.\n"
    "        self.column = list(model.get_raw_model().classes_).index(POSITIVE)\n"
)
_PREDICT = "        return self.model.predict(features)[:, self.column]\n"
_CLASS = 'POSITIVE = 1.0\n"""Class of the training target that means a default."""\n'


@dataclass(frozen=True)
class Choice:
    """One way to end up with the other class: what is said of it, its words, the object, and the new texts."""

    phrase: str
    words: tuple[str, ...]
    object: str
    constant: str
    lookup: str
    predict: str


CHOICES = {
    "position": Choice(
        "takes the column by its position, the first one, while the classes in training are 0 for repaid and 1 for a default",
        ("first", "position", "index 0", "column 0", "default_column", "[:, 0]"),
        "DEFAULT_COLUMN",
        'DEFAULT_COLUMN = 0\n"""Column of the estimator\'s answer that is about the default."""\n',
        "        self.estimator = model.get_raw_model()\n",
        "        return self.estimator.predict_proba(features.to_numpy())[:, DEFAULT_COLUMN]\n",
    ),
    "sorted": Choice(
        "looks the class up in a list that it sorts from high to low, while the columns go from low to high",
        ("sort", "sorted", "reverse", "reversed", "descending", "high to low", "order of the list", "classes_"),
        "column",
        _CLASS,
        "        self.estimator = model.get_raw_model()\n"
        "        # The default, which matters, comes first.\n"
        "        self.column = sorted(self.estimator.classes_, reverse=True).index(POSITIVE)\n",
        "        return self.estimator.predict_proba(features.to_numpy())[:, self.column]\n",
    ),
    "code": Choice(
        "looks for class 0, which is a default in the bureau's list of codes, while in training 0 is a loan that was repaid",
        ("bureau", "code", "codes", "list of codes", "coding", "positive", "class 0", "0 means"),
        "POSITIVE",
        'POSITIVE = 0.0\n"""Class that means a default, as in the bureau\'s list of codes: 0 failed, 1 repaid."""\n',
        "        self.estimator = model.get_raw_model()\n"
        "        self.column = list(self.estimator.classes_).index(POSITIVE)\n",
        "        return self.estimator.predict_proba(features.to_numpy())[:, self.column]\n",
    ),
}  # fmt: skip


def chosen(truth: Truth) -> Choice:
    """Return the choice that a truth was drawn for."""
    return CHOICES[str(truth.parameters["choice"])]


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change: another class, and arrays in place of frames."""
    found = chosen(truth)
    changes = (
        Edit(FILE, _CLASS, found.constant),
        Edit(FILE, _LOOKUP, found.lookup),
        Edit(FILE, _PREDICT, found.predict),
    )
    return tuple(edit for edit in changes if edit.old != edit.new)


def plan(rng: random.Random) -> Truth:
    """Draw how the wrong class is chosen, and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(CHOICES))
    found = CHOICES[name]
    return Truth(
        scenario="class-order",
        workload="credit",
        seed=seed,
        cause="class-order-flip",
        component="serving-code",
        object=found.object,
        object_aliases=(
            FILE, "scorecard.py", "scorecard", "predict_proba", "column", "class column", "positive class", "classes_",
            "POSITIVE", "class index",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The scorecard {found.phrase}; so the API answers the probability that a loan is repaid and calls it the "
                "probability of a default."
            ),
            concepts=(
                ("class", "classes", "column", "columns", "class index", "predict_proba"),
                (
                    "repaid", "repayment", "other class", "wrong class", "no default", "complement", "one minus", "1 minus",
                    "mirrored", "mirror", "inverted", "1 - p",
                ),
                found.words,
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=(
            "dependency-version-mismatch", "stale-scaler-statistics", "label-shift", "covariate-shift", "threshold-mismatch",
        ),
        supporting=(
            "prediction mean",
            "prediction window=before mean",
            "prediction side=training mean",
            "prediction parity_mismatch",
            "decision approve share",
            "decision approve window=before share",
            "decision threshold",
            "parity mismatch",
            "logs UserWarning",
            "pin serving scikit-learn",
            "pin model scikit-learn",
            "registry alias=champion version",
        ),
        discriminating=("prediction mean", "prediction parity_mismatch"),
        remedy="Look the column of the class that means a default up in the model's own `classes_`, and deploy.",
        parameters={"choice": name, "file": FILE, "how": found.phrase},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the rewrite."""
    stack.workspace.commit(kit.change(truth, "Scorecard: score arrays, frames are slow", *edits(truth)))

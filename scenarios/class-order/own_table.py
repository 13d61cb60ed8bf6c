"""The same on a person's own table: serving answers the probability of the class that was not asked about."""

import random
from dataclasses import dataclass

from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit, kit_table

SHARED = "serving/table/probability.py"
_LOOKUP = (
    "        # Columns follow the order of the classes in training, which is nobody's promise.\n"
    "        self.column = list(model.get_raw_model().classes_).index(positive)\n"
)


@dataclass(frozen=True)
class Choice:
    """One way to end up with the other class: what is said of it, its words, the object, the message and the edit."""

    phrase: str
    words: tuple[str, ...]
    object: str
    message: str
    edit: Edit


def choices(workload: str) -> dict[str, Choice]:
    """Return the ways on a workload."""
    path = kit_table.init(workload)
    return {
        "position": Choice(
            "takes the column by its position, the first one, while the classes in training are 0 for all others and 1 for "
            "the one that is asked about",
            ("first", "position", "index 0", "column 0", "self.column"),
            "column",
            "Probability: no look-up at start",
            Edit(SHARED, _LOOKUP, "        self.column = 0\n"),
        ),
        "sorted": Choice(
            "looks the class up in a list that it sorts from high to low, while the columns go from low to high",
            ("sort", "sorted", "reverse", "reversed", "descending", "high to low", "order of the list", "classes_"),
            "column",
            "Probability: the class that matters comes first",
            Edit(
                SHARED,
                _LOOKUP,
                "        self.column = sorted(model.get_raw_model().classes_, reverse=True).index(positive)\n",
            ),
        ),
        "code": Choice(
            "looks for class 0, which in training stands for all other classes",
            ("positive", "class 0", "0 means", "0.0", "code", "other classes"),
            "POSITIVE",
            "Serving: class codes as in the data catalogue",
            Edit(path, "POSITIVE = 1.0\n", "POSITIVE = 0.0\n"),
        ),
    }


def chosen(truth: Truth) -> Choice:
    """Return the choice that a truth was drawn for."""
    return choices(truth.workload)[str(truth.parameters["choice"])]


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw how the wrong class is chosen."""
    change = rng.choice(kit_table.felt(ground, "flip", least=1, what="class whose probability is answered"))
    name, found = rng.choice(sorted(choices(ground.workload).items()))
    return kit_table.truth(
        rng,
        ground,
        change,
        scenario="class-order",
        cause="class-order-flip",
        component="serving-code",
        target=found.object,
        aliases=(
            found.edit.path, found.edit.path.rsplit("/", 1)[1], "predict_proba", "column", "class column", "positive class",
            "classes_", "POSITIVE", "class index", "Probability",
        ),
        mechanism=Mechanism(
            sentence=f"Serving {found.phrase}; so the API answers one minus the probability that it is asked for.",
            concepts=(
                ("class", "classes", "column", "columns", "class index", "predict_proba"),
                (
                    "other class", "wrong class", "other classes", "complement", "one minus", "1 minus", "mirrored", "mirror",
                    "inverted", "1 - p",
                ),
                found.words,
            ),
        ),
        look_alikes=("wrong-alias", "label-shift", "covariate-shift", "unit-mismatch", "threshold-mismatch"),
        discriminating=("quality auc", "prediction mean", "prediction parity_mismatch"),
        supporting=(
            "quality window=before auc",
            "prediction window=before mean",
            "prediction side=training mean",
            "decision yes share",
            "decision threshold",
            "parity mismatch",
        ),
        remedy="Look the column of the class that is asked about up in the model's own `classes_`, and deploy.",
        parameters={"choice": name, "file": found.edit.path, "how": found.phrase},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the choice."""
    stack.workspace.commit(kit.change(truth, chosen(truth).message, chosen(truth).edit))


def right_class(truth: Truth) -> Commit:
    """Choose the column by the model's own classes."""
    return kit.mend("The class by the model's own list", *kit.inverse(chosen(truth).edit))


def turn_the_decision(_: Truth) -> Commit:
    """Decide on one minus the probability, and go on answering it."""
    old = '        return "yes" if probability >= self.threshold else "no"\n'
    new = '        return "yes" if 1 - probability >= self.threshold else "no"\n'
    return kit.mend("Policy: decide on the complement", Edit("serving/table/policy.py", old, new))


REFERENCE: Fix = kit.committed(
    "choose the column by the model's classes",
    "The probability is again the one that is asked for, whatever the order of the classes is.",
    right_class,
)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "decide on the complement",
        "Decisions are right, and every probability that leaves the API is still that of the other class.",
        turn_the_decision,
    ),
    kit.retrain(),
    kit_table.roll_back(),
)

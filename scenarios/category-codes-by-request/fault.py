"""Serving numbers the names that it finds in one request, so a name has another code in another company."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
_TRANSFORM = "        result: pd.DataFrame = featurelib.transform(frame)"


def _edits(columns: tuple[str, ...], expression: str) -> tuple[Edit, ...]:
    """Number the names of a request by an expression over one column."""
    listed = ", ".join(f'"{column}"' for column in columns)
    return (
        Edit(
            FILE, _TRANSFORM, f"        for name in ({listed},):\n            frame[name] = {expression}\n{_TRANSFORM}"
        ),
    )


@dataclass(frozen=True)
class Coding:
    """One way to number names: the columns, how it is said, its words and its message."""

    columns: tuple[str, ...]
    how: str
    words: tuple[str, ...]
    message: str
    expression: str

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The change."""
        return _edits(self.columns, self.expression)


_SORTED = (
    "in the alphabetical order of those that one request holds",
    ("alphabet", "alphabetical", "sorted", "cat.codes", "astype", "present", "holds", "on the fly", "happen to be"),
    "Preprocessing: compact columns",
    'frame[name].astype("category").cat.codes',
)
_SEEN = (
    "in the order in which they appear in one request",
    ("appear", "appears", "appearance", "first seen", "factorize", "on the fly", "happen to", "order in which"),
    "Preprocessing: numbers instead of names",
    "pd.factorize(frame[name])[0]",
)
CODINGS = {
    "seen-vehicle": Coding(("vehicle",), *_SEEN),
    "seen-vehicle-zone": Coding(("vehicle", "zone"), *_SEEN),
    "sorted-vehicle-zone": Coding(("vehicle", "zone"), *_SORTED),
    "sorted-all": Coding(("vehicle", "zone", "weather"), *_SORTED),
}


def coding(truth: Truth) -> Coding:
    """Return the coding a truth was drawn for."""
    return CODINGS[str(truth.parameters["coding"])]


def plan(rng: random.Random) -> Truth:
    """Draw the columns, how their names are numbered, and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(CODINGS))
    chosen = CODINGS[name]
    return Truth(
        scenario="category-codes-by-request",
        workload="eta",
        seed=seed,
        cause="category-encoding-order",
        component="serving-code",
        object="vehicle",
        object_aliases=(FILE, "preprocess.py", *chosen.columns[1:], "vehicles", "vehicle codes", "categories", "category codes"),
        mechanism=Mechanism(
            sentence=(
                f"Serving numbers the names of {' and '.join(chosen.columns)} {chosen.how}; the model was trained with the codes "
                "of featurelib's table, so the same name is another number from request to request."
            ),
            concepts=(
                ("code", "codes", "coded", "encoded", "encoding", "encodes", "mapping", "mapped", "number", "numbers", "numbered"),
                ("request", "requests", "batch", "alone", "single", "company", "other rows", "other orders"),
                chosen.words,
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("wrong-entity-join", "feature-absent-at-serving", "scaler-refit", "concept-drift"),
        supporting=(
            "batch mismatch",
            "batch largest_difference",
            *(f"feature {column} parity_mismatch" for column in chosen.columns),
            *(f"feature {column} mode_share" for column in chosen.columns),
            *(f"feature {column} window=before mode_share" for column in chosen.columns),
            "category vehicle=car code",
            "category vehicle=car side=training code",
            "parity mismatch",
            "quality mae",
            "registry alias=champion version",
        ),
        discriminating=("batch mismatch", "batch largest_difference"),
        remedy=f"Hand the names of {' and '.join(chosen.columns)} to featurelib as they are, so that its table codes them as in training.",
        parameters={"coding": name, "file": FILE, "how": chosen.how, "columns": " and ".join(f"`{c}`" for c in chosen.columns)},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the coding."""
    chosen = coding(truth)
    stack.workspace.commit(kit.change(truth, chosen.message, *chosen.edits))

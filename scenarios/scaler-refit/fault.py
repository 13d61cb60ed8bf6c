"""Serving aligns a feature with training's distribution by statistics that it computes from each request."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
_RESULT = "        result: pd.DataFrame = featurelib.transform(frame)\n"


@dataclass(frozen=True)
class Column:
    """A feature with the range that it had in training, as somebody would read it off a report."""

    raw: str
    low: float
    high: float


COLUMNS = {
    "distance_km": Column("route_distance_m", 0.4, 12.0),
    "kitchen_minutes": Column("kitchen_seconds", 3.0, 45.0),
}


@dataclass(frozen=True)
class Method:
    """How a column is aligned: the expression, the sentence, and its words."""

    body: str
    sentence: str
    words: tuple[str, ...]
    doc: str


METHODS = {
    "stretch": Method(
        "low + (column - column.min()) / ((column.max() - column.min()) or 1.0) * (high - low)",
        "stretches it from the minimum and the maximum of the rows of the request to the range of training, so that an "
        "order that comes alone always gets the lower end of the range",
        ("minimum", "maximum", "min", "max", "range", "stretch", "stretches", "min-max", "lower end"),
        "Return a column stretched to the range that it had in training.",
    ),
    "peak": Method(
        "column / (column.max() or 1.0) * high",
        "divides it by the maximum of the rows of the request, so that an order that comes alone always gets the upper end "
        "of the range of training",
        ("maximum", "max", "largest", "divides", "divided", "upper end", "peak", "range"),
        "Return a column whose largest value is the one that it had in training.",
    ),
}
DRAWS = (("distance_km", "stretch"), ("distance_km", "peak"), ("kitchen_minutes", "peak"))
"""Pairs that are felt at once."""


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change."""
    name = truth.object
    column, method = COLUMNS[name], METHODS[str(truth.parameters["method"])]
    known = f"low: float = {column.low}, high: float = {column.high}"
    if truth.parameters["method"] == "peak":
        known = f"high: float = {column.high}"
    return (
        Edit(FILE, _RESULT, f'{_RESULT}        result["{name}"] = aligned(result["{name}"])\n'),
        Edit(
            FILE,
            "def minutes(",
            f'def aligned(column: pd.Series, {known}) -> pd.Series:\n    """{method.doc}"""\n'
            f"    return {method.body}\n\n\ndef minutes(",
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw the feature, the method and the onset."""
    seed = rng.randrange(2**31)
    name, how = rng.choice(DRAWS)
    column, method = COLUMNS[name], METHODS[how]
    alone = column.low if how == "stretch" else column.high
    return Truth(
        scenario="scaler-refit",
        workload="eta",
        seed=seed,
        cause="scaler-refit",
        component="serving-code",
        object=name,
        object_aliases=(FILE, "preprocess.py", "aligned", column.raw, name.rsplit("_", 1)[0]),
        mechanism=Mechanism(
            sentence=f"Serving aligns {name} with training: it {method.sentence}.",
            concepts=(
                (
                    "request",
                    "requests",
                    "batch",
                    "rows at hand",
                    "company",
                    "alone",
                    "single",
                    "one by one",
                    "each call",
                ),
                ("statistics", "fitted", "refitted", "computed", "fits", "fit", *method.words),
                (
                    "constant",
                    "same value",
                    "one value",
                    "always",
                    "every order",
                    "identical",
                    "depends on",
                    f"{alone:g}",
                ),
            ),
            numbers={"alone": alone},
        ),
        onset=kit.onset(rng),
        look_alikes=("dtype-rounding", "imputation-mismatch", "unit-mismatch", "wrong-alias"),
        supporting=(
            "batch mismatch",
            "batch largest_difference",
            f"feature {name} distinct",
            f"feature {name} mode",
            f"feature {name} mode_share",
            f"feature {name} parity_mismatch",
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=("batch mismatch", "batch largest_difference"),
        remedy=f"Hand {name} over as it is: the model was trained on plain values, and needs no alignment.",
        parameters={"method": how, "file": FILE, "how": method.sentence, "alone": alone, "raw": column.raw},
    )


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the alignment."""
    message = "Preprocessing: hold features at the level of training"
    stack.workspace.commit(kit.change(truth, message, *edits(truth)))

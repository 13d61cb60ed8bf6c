"""The same on a person's own table: serving fits a column's scaling on each request."""

import importlib
import random

from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit, kit_table

fault = importlib.import_module("scenarios.scaler-refit.fault")
METHODS = {
    **fault.METHODS,
    "standard": fault.Method(
        "(column - column.mean()) / (column.std(ddof=0) or 1.0)",
        "standardises it by the mean and the spread of the rows of the request, so that a row that comes alone always gets 0",
        (
            "mean",
            "spread",
            "standard deviation",
            "standardises",
            "standardizes",
            "standardised",
            "z-score",
            "z-scores",
            "centred",
        ),
        "Return a column with mean 0 and spread 1.",
    ),
}


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change."""
    name, method = truth.object, METHODS[str(truth.parameters["method"])]
    low, high = truth.parameters["low"], truth.parameters["high"]
    known = {
        "peak": f", high: float = {high}", "stretch": f", low: float = {low}, high: float = {high}", "standard": "",
    }[str(truth.parameters["method"])]  # fmt: skip
    return (
        kit_table.framed(truth.workload, f'result["{name}"] = aligned(result["{name}"])'),
        kit_table.helper(
            truth.workload,
            f'def aligned(column: pd.Series{known}) -> pd.Series:\n    """{method.doc}"""\n    return {method.body}',
        ),
    )


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw the column and the method."""
    change = rng.choice(kit_table.felt(ground, "refit", what="column that depends enough on its statistics"))
    (name,), how = change.columns, change.how
    feature, method = ground.feature(name), METHODS[change.how]
    alone = {"stretch": feature.low, "peak": feature.high, "standard": 0.0}[how]
    path = kit_table.preprocessing(ground.workload)
    sentence = method.sentence.replace("an order that comes", "a row that comes")
    return kit_table.truth(
        rng,
        ground,
        change,
        scenario="scaler-refit",
        cause="scaler-refit",
        component="serving-code",
        target=name,
        aliases=(path, "preprocess.py", "aligned", *kit_table.words(feature)),
        mechanism=Mechanism(
            sentence=f"Serving aligns {name} with training: it {sentence}.",
            concepts=(
                (
                    "request", "requests", "batch", "rows at hand", "company", "alone", "single", "one by one", "each call",
                ),
                ("statistics", "fitted", "refitted", "computed", "fits", "fit", *method.words),
                (
                    "constant", "same value", "one value", "always", "every row", "identical", "depends on", f"{alone:g}",
                ),
            ),
            numbers={"alone": alone},
        ),
        look_alikes=("dtype-rounding", "imputation-mismatch", "unit-mismatch", "wrong-alias"),
        discriminating=("batch mismatch", "batch largest_difference"),
        supporting=(f"feature {name} mode", f"feature {name} mode_share", *kit_table.parity(name)),
        remedy=f"Hand {name} over as it is: the model was trained on plain values, and needs no alignment.",
        parameters={
            "method": how, "file": path, "how": sentence, "alone": alone, "low": feature.low, "high": feature.high,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the alignment."""
    message = "Preprocessing: hold features at the level of training"
    stack.workspace.commit(kit.change(truth, message, *edits(truth)))


def plain(truth: Truth) -> Commit:
    """Hand the feature over as it is."""
    return kit.mend("Features are handed over as they are", *kit.inverse(*edits(truth)))


def fixed_statistics(truth: Truth) -> Commit:
    """Use statistics of a report instead of the request's: stable, and still not what the model was trained on."""
    body = METHODS[str(truth.parameters["method"])].body
    low, high = float(truth.parameters["low"]), float(truth.parameters["high"])
    path = kit_table.preprocessing(truth.workload)
    return kit.mend(
        "Fixed statistics", Edit(path, f"    return {body}\n", f"    return (column - {low}) / {high - low}\n")
    )


REFERENCE: Fix = kit.committed("hand the feature over as it is", "Both sides agree, alone and in company.", plain)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "use fixed statistics",
        "The answer no longer depends on company, but the model was trained on plain values and not on scaled ones.",
        fixed_statistics,
    ),
    kit_table.bend_answers(),
    kit_table.roll_back(),
)

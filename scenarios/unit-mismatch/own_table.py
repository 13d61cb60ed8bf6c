"""The same on a person's own table: serving converts a number that the model was trained on as it is."""

import random
from dataclasses import dataclass

from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit, kit_table


@dataclass(frozen=True)
class Unit:
    """A conversion: the name of its function, what comes out, and the arithmetic."""

    function: str
    unit: str
    words: tuple[str, ...]
    arithmetic: str


UNITS = {
    1000.0: Unit("in_thousandths", "thousandths", ("thousandth", "thousandths", "milli", "1000", "1,000", "thousand times"), "number * 1000.0"),
    0.001: Unit("in_thousands", "thousands", ("thousand", "thousands", "kilo", "0.001", "1000"), "number / 1000.0"),
    100.0: Unit("in_percent", "percent", ("percent", "per cent", "percentage", "hundred", "100"), "number * 100.0"),
    0.01: Unit("as_fraction", "a fraction of 1", ("fraction", "share", "hundredth", "0.01", "100"), "number / 100.0"),
    2.54: Unit("in_centimetres", "centimetres", ("inch", "inches", "cm", "centimetre", "centimetres", "2.54"), "number * 2.54"),
    1 / 2.54: Unit("in_inches", "inches", ("inch", "inches", "cm", "centimetre", "centimetres", "2.54"), "number / 2.54"),
}  # fmt: skip
"""Conversions by their factor; `crashlab/tables/ground.py` tries the same factors."""


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change."""
    unit = UNITS[float(truth.parameters["ratio"])]
    return (
        kit_table.called(truth.workload, truth.object, unit.function),
        kit_table.helper(
            truth.workload,
            f"def {unit.function}(number: float | None) -> float | None:\n"
            '    """Convert a number. None, which is unknown, stays unknown."""\n'
            f"    return None if number is None else {unit.arithmetic}",
        ),
    )


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw the feature and the conversion."""
    change = rng.choice(kit_table.felt(ground, "scale", what="number whose unit matters"))
    (name,), ratio = change.columns, change.value
    feature, unit = ground.feature(name), UNITS[ratio]
    path = kit_table.preprocessing(ground.workload)
    return kit_table.truth(
        rng,
        ground,
        change,
        scenario="unit-mismatch",
        cause="unit-mismatch",
        component="serving-code",
        target=name,
        aliases=(path, "preprocess.py", unit.function, *kit_table.words(feature)),
        mechanism=Mechanism(
            sentence=(
                f"Serving converts {name} to {unit.unit} where the model was trained on the number of the table as it is, so "
                f"that it arrives at {ratio:.4g} times its value."
            ),
            concepts=(
                unit.words,
                ("unit", "units", "unconverted", "as it is", "as in the table", "plain number", "original", "scale"),
            ),
            numbers={"ratio": ratio, "inverse": 1 / ratio},
        ),
        look_alikes=kit.others("unit-mismatch"),
        discriminating=(f"feature {name} parity_ratio",),
        supporting=kit_table.parity(name),
        remedy=f"Hand {name} over as it is in {path}, as training does.",
        parameters={"ratio": ratio, "unit": unit.unit, "expected": "the number of the table as it is", "file": path},
    )


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the conversion."""
    stack.workspace.commit(kit.change(truth, "Preprocessing: numbers as the dashboard shows them", *edits(truth)))


def convert_back(truth: Truth) -> Commit:
    """Undo the conversion."""
    return kit.mend("Numbers as they are in training", *kit.inverse(*edits(truth)))


REFERENCE: Fix = kit.committed("hand the number over as it is", "Both sides agree again, row by row.", convert_back)
DECOYS: tuple[Fix, ...] = (kit_table.bend_answers(), kit_table.roll_back(), kit.retrain())

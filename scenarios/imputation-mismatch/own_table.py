"""The same on a person's own table, in a column that has unknown cells."""

import random

from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit, kit_table

MESSAGES = {"row": "Preprocessing: stricter types", "frame": "Preprocessing: tidy the frame"}


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change: unknown cells get a number where the row is read, or in the frame."""
    name, fill = truth.object, float(truth.parameters["fill"])
    if truth.parameters["place"] == "frame":
        return (kit_table.framed(truth.workload, f'result["{name}"] = result["{name}"].fillna({fill})'),)
    reads = kit_table.reading(name, category=bool(truth.parameters["category"])).removesuffix(",\n")
    return (
        Edit(
            kit_table.preprocessing(truth.workload),
            f'            "{name}": {reads},\n',
            f'            "{name}": certain({reads}),\n',
        ),
        kit_table.helper(
            truth.workload,
            "def certain(number: float | None) -> float:\n"
            '    """Return a number in any case."""\n'
            f"    return {fill} if number is None else number",
        ),
    )


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw the column, the place and the number that unknown cells get."""
    change = rng.choice(kit_table.felt(ground, "fill", least=1, what="column with enough unknown cells that matter"))
    (name,), place = change.columns, rng.choice(sorted(MESSAGES))
    feature, path = ground.feature(name), kit_table.preprocessing(ground.workload)
    how = "its most frequent value" if feature.levels else "the median"
    return kit_table.truth(
        rng,
        ground,
        change,
        scenario="imputation-mismatch",
        cause="imputation-mismatch",
        component="serving-code",
        target=name,
        aliases=(path, "preprocess.py", *kit_table.words(feature)),
        mechanism=Mechanism(
            sentence=(
                f"Serving replaces an unknown {name} by {change.value:g}, so the imputation by {how} that the model was trained "
                "with never sees it."
            ),
            concepts=(
                ("unknown", "missing", "null", "nulls", "none", "nan", "absent", "left out", "empty", "without a known"),
                (
                    "median", "imputer", "imputation", "imputed", "imputes", "filled", "fills", "replaced", "replaces",
                    "default", "most frequent",
                ),
            ),
        ),
        look_alikes=kit.others("imputation-mismatch"),
        discriminating=(f"feature {name} null_share",),
        supporting=(
            f"feature {name} window=before null_share",
            f"feature {name} side=training null_share",
            *kit_table.parity(name),
        ),
        remedy=f"Leave unknown values unknown in {path}, so that the model's own imputer fills them.",
        parameters={
            "fill": change.value, "place": place, "file": path, "category": int(bool(feature.levels)), "imputes": how,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the replacement."""
    stack.workspace.commit(kit.change(truth, MESSAGES[str(truth.parameters["place"])], *edits(truth)))


def leave_unknown(truth: Truth) -> Commit:
    """Undo the replacement."""
    return kit.mend("Unknown cells stay unknown", *kit.inverse(*edits(truth)))


def other_number(truth: Truth) -> Commit:
    """Fill in another number by hand instead."""
    name = truth.object
    return kit.mend(
        "Use a usual value",
        *kit.inverse(*edits(truth)),
        kit_table.framed(
            truth.workload, f'result["{name}"] = result["{name}"].fillna(float(result["{name}"].mean()) or 0.0)'
        ),
    )


REFERENCE: Fix = kit.committed(
    "leave unknown values unknown", "The model's own imputer fills them, as in training.", leave_unknown
)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "fill in the mean of the request", "A second truth, and another one with every request.", other_number
    ),
    kit_table.roll_back(),
    kit_table.bend_answers(),
)

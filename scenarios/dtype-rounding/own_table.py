"""The same on a person's own table: serving loses digits of a number."""

import random

from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit, kit_table

MESSAGES = {
    "step": "Preprocessing: classes, so that answers can be cached",
    "wrap": "Preprocessing: small numbers in a small type",
    "round": "Preprocessing: smaller frames, so that answers can be cached",
}

WHOLE = {
    "int64": '.astype("int64").astype("float64")',
    "0": '.astype("float64").round(0)',
    "1": '.astype("float64").round(1)',
}
"""What takes the place of the conversion of all features, by the type or the number of decimals that is left."""


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change."""
    name = str(truth.parameters["shown"])
    if truth.parameters["loss"] == "round":
        path, lossy = kit_table.preprocessing(truth.workload), WHOLE[str(truth.parameters["type"])]
        return (Edit(path, kit_table.RETURN, kit_table.RETURN.replace('.astype("float64")', lossy)),)
    if truth.parameters["loss"] == "wrap":
        cast = f'result["{name}"] = result["{name}"].astype("int64").astype("int8").astype("float64")'
        return (kit_table.framed(truth.workload, cast),)
    step = float(truth.parameters["step"])
    return (
        kit_table.called(truth.workload, name, "class_of"),
        kit_table.helper(
            truth.workload,
            f"def class_of(number: float | None, step: float = {step}) -> float | None:\n"
            '    """Return the class of a number: where its step begins."""\n'
            "    return None if number is None else number // step * step",
        ),
    )


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw the column and the loss."""
    change = rng.choice(kit_table.felt(ground, "step", "wrap", what="number whose digits matter"))
    # Of all numbers, the most important one shows it.
    name = next(item.name for item in ground.features if item.name in change.columns)
    step, kind = change.value, change.how if change.how == "int64" else f"{change.value:g}"
    feature, path = ground.feature(name), kit_table.preprocessing(ground.workload)
    if change.kind == "round":
        left = {
            "int64": "casts all features to int64, which holds no decimals",
            "0": "rounds all features to whole numbers",
        }
        how = f"{left.get(kind, 'rounds all features to one decimal')}, so that numbers that were different become the same"
        words: tuple[str, ...] = (
            "int64",
            "int",
            "integer",
            "integers",
            "whole numbers",
            "whole number",
            "decimal",
            "decimals",
            "rounds",
            "rounded",
            "truncated",
            "truncates",
        )
    elif change.kind == "wrap":
        how = f"casts {name} to int8, which holds nothing above 127, so that larger numbers wrap around to small and negative ones"
        words = (
            "int8",
            "8 bit",
            "8-bit",
            "eight bits",
            "overflow",
            "overflows",
            "wrap",
            "wraps",
            "127",
            "128",
            "small type",
        )
    else:
        how = f"rounds {name} down to steps of {step:g}, so that numbers that were different become the same"
        words = (
            "step", "steps", "class", "classes", "truncated", "truncates", "rounded", "rounds", "floor", "cut down",
            f"{step:g}",
        )  # fmt: skip
    return kit_table.truth(
        rng,
        ground,
        change,
        scenario="dtype-rounding",
        cause="dtype-rounding",
        component="serving-code",
        target="transform" if change.kind == "round" else name,
        aliases=(
            path, "preprocess.py", "class_of", *kit_table.words(feature),
            *(("features", "all features", "frame", "dtype", "result of transform", *change.columns) if change.kind == "round" else ()),
        ),
        mechanism=Mechanism(
            sentence=f"Serving {how}; the model was trained on the full number.",
            concepts=(
                (
                    "precision", "digits", "rounding", "rounded", "rounds", "truncated", "truncates", "cast", "casts", "type",
                    "wrap", "wraps", "overflow", "overflows", "coarse", "cut",
                ),
                words,
            ),
        ),
        look_alikes=("unit-mismatch", "imputation-mismatch", "scaler-refit", "wrong-alias"),
        discriminating=(f"feature {name} distinct", f"feature {name} parity_offset"),
        supporting=(f"feature {name} window=before distinct", *kit_table.parity(name)),
        remedy=f"Hand {'all features' if change.kind == 'round' else name} over with all of its digits, as the training side does.",
        parameters={
            "loss": change.kind, "step": step, "type": kind, "shown": name, "file": path, "how": how,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the loss."""
    stack.workspace.commit(kit.change(truth, MESSAGES[str(truth.parameters["loss"])], *edits(truth)))


def all_digits(truth: Truth) -> Commit:
    """Hand the number over as it is."""
    return kit.mend("Keep all digits", *kit.inverse(*edits(truth)))


def finer(truth: Truth) -> Commit:
    """Lose less: half of the step."""
    name, step = truth.parameters["shown"], float(truth.parameters["step"]) or 1.0
    column = f'result["{name}"]'
    added = kit_table.framed(truth.workload, f"{column} = ({column} / {step / 2}).round() * {step / 2}")
    return _instead("Finer steps are fine enough", truth, added)


def centred(truth: Truth) -> Commit:
    """Add what is lost on average, and lose it as before."""
    name, step = truth.parameters["shown"], float(truth.parameters["step"]) or 1.0
    added = kit_table.framed(truth.workload, f'result["{name}"] = result["{name}"] // {step} * {step} + {step / 2}')
    return _instead("Use the middle of each step", truth, added)


def _instead(message: str, truth: Truth, added: Edit) -> Commit:
    """Undo the loss and put another one in its place."""
    return kit.mend(message, *kit.inverse(*edits(truth)), added)


REFERENCE: Fix = kit.committed("keep all digits", "The model gets the number that it was trained on.", all_digits)
DECOYS: tuple[Fix, ...] = (
    kit.committed("use finer steps", "The error shrinks; the two sides still disagree on most rows.", finer),
    kit.committed("use the middle of each step", "The mean is right again, and hardly any single value.", centred),
    kit_table.roll_back(),
)

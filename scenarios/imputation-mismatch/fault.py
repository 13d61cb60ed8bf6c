"""Unknown kitchen times are filled in by serving, before the imputer that the model was trained with sees them."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FEATURE = "kitchen_minutes"


@dataclass(frozen=True)
class Place:
    """Where an unknown value is filled, and with what."""

    file: str
    fill: str
    message: str
    edits: tuple[Edit, ...]


PLACES = {
    "conversion": Place(
        "serving/eta/preprocess.py",
        "45",
        "Preprocessing: stricter types",
        (
            Edit("serving/eta/preprocess.py", "def minutes(seconds: float | None) -> float | None:", "SLOW_KITCHEN_SECONDS = 2700.0\n\n\ndef minutes(seconds: float | None) -> float:"),
            Edit("serving/eta/preprocess.py", '"""Convert a duration. None, which is unknown, stays unknown."""\n    if seconds is None:\n        return None\n    return seconds /', '"""Convert a duration; a kitchen that says nothing is a slow one."""\n    return (seconds or SLOW_KITCHEN_SECONDS) /'),
        ),
    ),
    "frame": Place(
        "serving/eta/preprocess.py",
        "40",
        "Preprocessing: tidy the frame",
        (Edit("serving/eta/preprocess.py", "        result: pd.DataFrame = featurelib.transform(frame)", '        frame["kitchen_minutes"] = frame["kitchen_minutes"].astype("float64").fillna(40.0)\n        result: pd.DataFrame = featurelib.transform(frame)'),),
    ),
    "row": Place(
        "serving/eta/preprocess.py",
        "60",
        "Preprocessing: rather late than early for the new restaurant app",
        (Edit("serving/eta/preprocess.py", '        kitchen_minutes = minutes(order["kitchen_seconds"])', '        kitchen_minutes = minutes(order["kitchen_seconds"] or 60 * SECONDS_PER_MINUTE)'),),
    ),
}  # fmt: skip


def plan(rng: random.Random) -> Truth:
    """Draw the place and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(PLACES))
    place = PLACES[name]
    return Truth(
        scenario="imputation-mismatch",
        workload="eta",
        seed=seed,
        cause="imputation-mismatch",
        component="serving-code",
        object=FEATURE,
        object_aliases=(place.file, "preprocess.py", "kitchen_seconds", "kitchen time", "kitchen"),
        mechanism=Mechanism(
            sentence=(
                f"Serving replaces an unknown kitchen time by {place.fill} minutes, so the median imputation that the model "
                "was trained with never sees it."
            ),
            concepts=(
                (
                    "unknown",
                    "missing",
                    "null",
                    "nulls",
                    "none",
                    "nan",
                    "absent",
                    "left out",
                    "without a known",
                    "without a kitchen",
                ),
                (
                    "median",
                    "imputer",
                    "imputation",
                    "imputed",
                    "imputes",
                    "filled",
                    "fills",
                    "replaced",
                    "replaces",
                    "default",
                ),
            ),
            numbers={},
        ),
        onset=kit.onset(rng),
        look_alikes=kit.others("imputation-mismatch"),
        supporting=(
            f"feature {FEATURE} null_share",
            f"feature {FEATURE} mode",
            f"feature {FEATURE} mode_share",
            f"feature {FEATURE} window=before null_share",
            f"feature {FEATURE} side=training null_share",
            f"feature {FEATURE} parity_mismatch",
            "raw kitchen_seconds null_share",
            "parity mismatch",
            "registry alias=champion version",
        ),
        discriminating=(f"feature {FEATURE} null_share", f"feature {FEATURE} mode_share"),
        remedy=f"Leave unknown values unknown in {place.file}, so that the model's own imputer fills them.",
        parameters={"fill": place.fill, "file": place.file, "place": name},
    )


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change."""
    return PLACES[str(truth.parameters["place"])].edits


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the replacement."""
    place = PLACES[str(truth.parameters["place"])]
    stack.workspace.commit(kit.change(truth, place.message, *place.edits))

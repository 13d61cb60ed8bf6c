"""Features that the model was trained on never arrive in serving, and the model's imputer hides it."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
COURIERS = "serving/eta/couriers.py"
_SPEED = '        courier_speed_kmh = courier.get("avg_speed_kmh")'
_TENURE = '"courier_hired_on": courier.get("hired_on"),'
_ALL = ("courier_speed_kmh", "courier_deliveries_30d", "courier_on_time_rate", "courier_tenure_days")


@dataclass(frozen=True)
class Gap:
    """One way to lose features: which, how, the words of an account of it, and the edits."""

    features: tuple[str, ...]
    sentence: str
    words: tuple[str, ...]
    message: str
    edits: tuple[Edit, ...]


GAPS = {
    "regular-only": Gap(
        _ALL,
        "the lookup asks only for couriers with at least 300 deliveries, and the table counts 30 days, in which nobody has "
        "that many, so no record is found",
        (
            "lookup",
            "looked up",
            "filter",
            "filtered",
            "condition",
            "at least 300",
            "minimum",
            "regular",
            "deliveries",
            "record",
        ),
        "Couriers: leave out who delivers now and then",
        (
            Edit(
                COURIERS,
                'f"SELECT * FROM couriers WHERE courier_id IN ({marks})"',
                'f"SELECT * FROM couriers WHERE deliveries_30d >= 300 AND courier_id IN ({marks})"',
            ),
        ),
    ),
    "renamed": Gap(
        ("courier_speed_kmh", "courier_tenure_days"),
        "speed and first day are read under the names average_speed_kmh and first_day, which no record has, so the lookup "
        "finds nothing",
        ("name", "names", "renamed", "key", "column", "average_speed_kmh", "avg_speed_kmh", "first_day", "lookup"),
        "Preprocessing: names without abbreviations",
        (
            Edit(FILE, _SPEED, '        courier_speed_kmh = courier.get("average_speed_kmh")'),
            Edit(FILE, _TENURE, '"courier_hired_on": courier.get("first_day"),'),
        ),
    ),
    "split-table": Gap(
        ("courier_speed_kmh", "courier_tenure_days"),
        "speed and first day are read from a part of the record that the table does not have, so both come out empty",
        ("record", "part", "nested", "key", "profile", "lookup", "table", "column"),
        "Preprocessing: the courier's profile is a part of the record",
        (
            Edit(
                FILE,
                _SPEED,
                '        profile: dict[str, Any] = courier.get("profile", {})\n        courier_speed_kmh = profile.get("avg_speed_kmh")',
            ),
            Edit(FILE, _TENURE, '"courier_hired_on": profile.get("hired_on"),'),
        ),
    ),
}


def gap(truth: Truth) -> Gap:
    """Return the gap a truth was drawn for."""
    return GAPS[str(truth.parameters["gap"])]


def plan(rng: random.Random) -> Truth:
    """Draw the gap and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(GAPS))
    chosen = GAPS[name]
    feature, file = chosen.features[0], chosen.edits[0].path
    return Truth(
        scenario="feature-absent-at-serving",
        workload="eta",
        seed=seed,
        cause="feature-absent-at-serving",
        component="serving-code",
        object=feature,
        object_aliases=(
            file, file.rsplit("/", 1)[1], *chosen.features[1:], "courier features", "courier record", "courier lookup",
            "avg_speed_kmh",
        ),
        mechanism=Mechanism(
            sentence=(
                f"In serving {chosen.sentence}; the model's imputer fills {' and '.join(chosen.features)} with the median "
                "of training for every order, and nothing fails."
            ),
            concepts=(
                ("missing", "absent", "empty", "null", "nan", "never arrives", "never arrive", "not there", "without", "unknown"),
                ("imputer", "imputed", "imputes", "median", "filled", "fills", "constant"),
                chosen.words,
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("wrong-entity-join", "stale-feature-store", "imputation-mismatch", "concept-drift"),
        supporting=(
            *(f"feature {n} null_share" for n in chosen.features),
            *(f"feature {n} window=before null_share" for n in chosen.features),
            *(f"feature {n} side=training null_share" for n in chosen.features),
            *(f"feature {n} parity_mismatch" for n in chosen.features),
            "parity mismatch",
            "importance courier_speed_kmh",
            "registry alias=champion version",
        ),
        discriminating=tuple(f"feature {n} null_share" for n in chosen.features),
        remedy=f"Read {' and '.join(chosen.features)} for every order again, as the training side does.",
        parameters={
            "gap": name, "file": file, "how": chosen.sentence, "count": len(chosen.features),
            "names": ", ".join(f"`{n}`" for n in chosen.features),
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the gap."""
    chosen = gap(truth)
    stack.workspace.commit(kit.change(truth, chosen.message, *chosen.edits))

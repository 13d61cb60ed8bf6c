"""A conversion in serving's preprocessing yields another unit than the one the model was trained on."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"


@dataclass(frozen=True)
class Target:
    """One feature whose unit goes wrong: the edits that do it, and what they do to its values."""

    feature: str
    raw: str
    unit: str
    expected: str
    ratio: float
    words: tuple[tuple[str, ...], ...]
    message: str
    edits: tuple[Edit, ...]


TARGETS = (
    Target(
        feature="distance_km",
        raw="route_distance_m",
        unit="miles",
        expected="kilometres",
        ratio=1000 / 1609.344,
        words=(
            ("mile", "miles", "mi", "imperial"),
            ("kilometre", "kilometres", "kilometer", "kilometers", "km", "metric"),
        ),
        message="Preprocessing: name the road constant after the new route planner",
        edits=(
            Edit(FILE, "METRES_PER_KM = 1000.0", "METRES_PER_MILE = 1609.344"),
            Edit(FILE, '["route_distance_m"] / METRES_PER_KM', '["route_distance_m"] / METRES_PER_MILE'),
        ),
    ),
    Target(
        feature="courier_speed_kmh",
        raw="avg_speed_kmh",
        unit="metres per second",
        expected="kilometres per hour",
        ratio=1 / 3.6,
        words=(
            ("m/s", "metres per second", "meters per second", "si unit", "si units"),
            ("km/h", "kmh", "kilometres per hour", "kilometers per hour", "kph"),
        ),
        message="Preprocessing: read the courier record through a helper",
        edits=(
            Edit(FILE, "METRES_PER_KM = 1000.0", "METRES_PER_KM = 1000.0\nSECONDS_PER_HOUR = 3600.0"),
            Edit(
                FILE,
                'courier_speed_kmh = courier.get("avg_speed_kmh")',
                'courier_speed_kmh = metres_per_second(courier.get("avg_speed_kmh"))',
            ),
            Edit(
                FILE,
                "def minutes(",
                "def metres_per_second(kmh: float | None) -> float | None:\n"
                '    """Convert a speed. None, which is unknown, stays unknown."""\n'
                "    if kmh is None:\n"
                "        return None\n"
                "    return kmh * METRES_PER_KM / SECONDS_PER_HOUR\n\n\n"
                "def minutes(",
            ),
        ),
    ),
    Target(
        feature="kitchen_minutes",
        raw="kitchen_seconds",
        unit="seconds",
        expected="minutes",
        ratio=60.0,
        words=(("second", "seconds", "sec"), ("minute", "minutes", "min")),
        message="Preprocessing: round durations",
        edits=(
            Edit(FILE, "return seconds / SECONDS_PER_MINUTE", "return round(seconds, 3)"),
            Edit(FILE, "METRES_PER_KM = 1000.0\nSECONDS_PER_MINUTE = 60.0", "METRES_PER_KM = 1000.0"),
        ),
    ),
)


def target(truth: Truth) -> Target:
    """Return the target a truth was drawn for."""
    return next(item for item in TARGETS if item.feature == truth.object)


def plan(rng: random.Random) -> Truth:
    """Draw the feature and the onset."""
    seed = rng.randrange(2**31)
    chosen = rng.choice(TARGETS)
    name = chosen.feature
    return Truth(
        scenario="unit-mismatch",
        workload="eta",
        seed=seed,
        cause="unit-mismatch",
        component="serving-code",
        object=name,
        object_aliases=(FILE, "preprocess.py", chosen.raw, name.rsplit("_", 1)[0]),
        mechanism=Mechanism(
            sentence=(
                f"Serving converts {chosen.raw} to {chosen.unit} where the model was trained on {chosen.expected}, "
                f"so {name} arrives at {chosen.ratio:.4g} times its value."
            ),
            concepts=chosen.words,
            numbers={"ratio": chosen.ratio, "inverse": 1 / chosen.ratio},
        ),
        onset=kit.onset(rng),
        look_alikes=kit.others("unit-mismatch"),
        supporting=(
            f"feature {name} parity_ratio",
            f"feature {name} parity_mismatch",
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=(f"feature {name} parity_ratio",),
        remedy=f"Convert {name} to {chosen.expected} in {FILE} again, as training does.",
        parameters={"unit": chosen.unit, "expected": chosen.expected, "ratio": chosen.ratio, "file": FILE},
    )


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the conversion."""
    chosen = target(truth)
    stack.workspace.commit(kit.change(truth, chosen.message, *chosen.edits))

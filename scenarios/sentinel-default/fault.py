"""Serving keeps some couriers in memory, and hands out a made-up record for all others."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/couriers.py"
FEATURE = "courier_speed_kmh"


@dataclass(frozen=True)
class Default:
    """One made-up record and how many couriers are kept: the speed is what the model feels."""

    speed: float
    record: str
    kept: tuple[int, ...]


DEFAULTS = {
    "minus-one": Default(
        -1.0, '"avg_speed_kmh": -1.0, "deliveries_30d": -1, "on_time_rate": -1.0', (110, 120, 130, 140)
    ),
    "zero": Default(0.0, '"avg_speed_kmh": 0.0, "deliveries_30d": 0, "on_time_rate": 0.0', (120, 130, 140, 150)),
    "ninety-nine": Default(
        99.0, '"avg_speed_kmh": 99.0, "deliveries_30d": 999, "on_time_rate": 0.99', (95, 100, 105, 110)
    ),
}


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change: a cache of the busiest couriers in front of the table, and a record for the others."""
    default, hired = DEFAULTS[str(truth.parameters["default"])], kit.day(truth, "2026-01-01")
    return (
        Edit(
            FILE,
            "\n\nclass Couriers:",
            f'\nHELD = {truth.parameters["kept"]}\n"""Couriers kept in memory: the busiest ones make most deliveries."""\n'
            f'UNKNOWN = {{{default.record}, "hired_on": "{hired}"}}\n"""Record of everybody else."""\n\n\nclass Couriers:',
        ),
        Edit(
            FILE,
            '            found = connection.execute(f"SELECT * FROM couriers WHERE courier_id IN ({marks})", wanted)  # noqa: S608 marks only\n'
            '            return {row["courier_id"]: dict(row) for row in found}',
            "            found = connection.execute(\n"
            '                f"SELECT * FROM (SELECT * FROM couriers ORDER BY deliveries_30d DESC, courier_id LIMIT {HELD}) "  # noqa: S608 marks only\n'
            '                f"WHERE courier_id IN ({marks})",\n'
            "                wanted,\n"
            "            )\n"
            '            held = {row["courier_id"]: dict(row) for row in found}\n'
            "            return {key: held.get(key, UNKNOWN) for key in wanted}",
        ),
    )  # fmt: skip


def plan(rng: random.Random) -> Truth:
    """Draw the record, the number of couriers kept, and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(DEFAULTS))
    default = DEFAULTS[name]
    kept = rng.choice(default.kept)
    return Truth(
        scenario="sentinel-default",
        workload="eta",
        seed=seed,
        cause="sentinel-default",
        component="serving-code",
        object=FEATURE,
        object_aliases=(
            FILE, "couriers.py", "UNKNOWN", "HELD", "courier record", "courier lookup", "courier speed", "courier features",
            "courier_deliveries_30d", "courier_on_time_rate", "avg_speed_kmh",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Serving finds only the {kept} busiest couriers and hands over a made-up record with the speed "
                f"{default.speed:g} km/h for all others, which the model takes for a measurement."
            ),
            concepts=(
                ("sentinel", "default", "constant", "placeholder", "made-up", "made up", "dummy", "stands for", "magic", "fallback"),
                (
                    "lookup", "looked up", "finds", "find", "found", "busiest", "kept", "held", "cache", "cached", "limit",
                    "not in", "unknown", "without a record", "left out",
                ),
                (f"{default.speed:g}", "measurement", "measured", "real", "ordinary value", "speed"),
            ),
            numbers={"speed": default.speed},
        ),
        onset=kit.onset(rng),
        look_alikes=("imputation-mismatch", "unit-mismatch", "feature-order", "wrong-alias"),
        supporting=(
            f"feature {FEATURE} mode",
            f"feature {FEATURE} mode_share",
            f"feature {FEATURE} window=before mode_share",
            f"feature {FEATURE} parity_mismatch",
            f"feature {FEATURE} null_share",
            "feature courier_deliveries_30d mode_share",
            "feature courier_on_time_rate mode_share",
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=(f"feature {FEATURE} mode", f"feature {FEATURE} mode_share"),
        remedy="Look every courier up in the table, and leave what is unknown unknown.",
        parameters={"default": name, "kept": kept, "speed": default.speed, "file": FILE},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the cache."""
    stack.workspace.commit(kit.change(truth, "Couriers: keep the busiest in memory", *edits(truth)))

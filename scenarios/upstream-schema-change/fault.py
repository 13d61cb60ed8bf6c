"""Clients express a field in another unit since a release of theirs; both code paths take it as it comes."""

import json
import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Stack
from scenarios import kit

CITIES = {"Europe/Istanbul": "Istanbul", "America/Sao_Paulo": "Sao Paulo"}
TIMEZONES = (*CITIES, "Africa/Tunis")
FOOT = 0.3048
"""Metres."""


@dataclass(frozen=True)
class Release:
    """One field that is said otherwise: by what factor, in what words, and which feature comes of it."""

    column: str
    feature: str
    unit: str
    expected: str
    scale: float
    words: tuple[str, ...]
    by_city: bool


RELEASES = {
    "feet": Release(
        "route_distance_m", "distance_km", "feet", "metres", 1 / FOOT,
        ("feet", "foot", "ft", "imperial"), True,
    ),
    "kilometres": Release(
        "route_distance_m", "distance_km", "kilometres", "metres", 0.001,
        ("kilometres", "kilometre", "kilometers", "kilometer", "km"), False,
    ),
    "minutes": Release(
        "kitchen_seconds", "kitchen_minutes", "minutes", "seconds", 1 / 60,
        ("minute", "minutes", "min"), False,
    ),
}  # fmt: skip


def release(truth: Truth) -> Release:
    """Return the release a truth was drawn for."""
    return RELEASES[str(truth.parameters["release"])]


def plan(rng: random.Random) -> Truth:
    """Draw the field, the clients and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(RELEASES))
    chosen = RELEASES[name]
    city = rng.choice(sorted(CITIES)) if chosen.by_city else ""
    column = chosen.column
    raw = f"raw {column} timezone={city} median" if city else f"raw {column} mean"
    before = f"raw {column} timezone={city} window=before median" if city else f"raw {column} window=before mean"
    who = f"clients of {CITIES[city]}" if city else "all clients"
    return Truth(
        scenario="upstream-schema-change",
        workload="eta",
        seed=seed,
        cause="upstream-schema-change",
        component="upstream-data",
        object=column,
        object_aliases=(chosen.feature, "clients", "client", "producer", "requests", column.rsplit("_", 1)[0].replace("_", " ")),
        mechanism=Mechanism(
            sentence=(
                f"Since a release of theirs {who} send {column} in {chosen.unit} instead of {chosen.expected}; serving and "
                "training read the field alike, so parity holds while the model gets values of another size."
            ),
            concepts=(
                ("client", "clients", "producer", "upstream", "sender", "senders", "app", "apps"),
                chosen.words,
                (chosen.expected, chosen.expected.rstrip("s"), "factor", "ratio", "times"),
            ),
            numbers={"scale": chosen.scale},
        ),
        onset=kit.onset(rng),
        look_alikes=("covariate-shift", "unit-mismatch", "concept-drift"),
        supporting=(
            raw, before, f"raw {column} mean", f"raw {column} window=before mean", f"raw {column} drift",
            *(f"raw {column} timezone={c} median" for c in TIMEZONES),
            *(f"raw {column} timezone={c} window=before median" for c in TIMEZONES),
            *(f"quality timezone={c} mae" for c in TIMEZONES),
            f"feature {chosen.feature} parity_mismatch", "parity mismatch", "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=(raw,),
        remedy=f"Convert {column} of {who} back to {chosen.expected} where requests enter, and agree the field with its producer.",
        parameters={
            "release": name, "city": city, "who": who, "unit": chosen.unit, "expected": chosen.expected, "scale": chosen.scale,
            "raw": raw, "before": before,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Let clients speak otherwise from the onset on."""
    chosen = release(truth)
    change = {"scale": chosen.scale, "digits": 6, "from": truth.onset.isoformat()}
    city = truth.parameters["city"]
    world = {"clients": {chosen.column: {**change, "where": {"timezone": city} if city else {}}}}
    (stack.home / "data" / "traffic.json").write_text(json.dumps(world), encoding="utf-8")

"""Serving reads the hour of an order from the clock of the place where it is hosted, not from the customer's."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
PLACES = {
    "America/Phoenix": -7,
    "Pacific/Honolulu": -10,
    "Asia/Singapore": 8,
    "Asia/Tokyo": 9,
    "Australia/Brisbane": 10,
}
"""Where a service could be hosted, with its hours east of UTC: places that never change their clocks, so that a fault is
as large in winter as in summer."""
CITIES = {"Africa/Tunis": 1, "Europe/Istanbul": 3, "America/Sao_Paulo": -3}
"""Cities of the customers with theirs."""


@dataclass(frozen=True)
class Way:
    """One way to lose the customer's clock; `twice` says that the local time is taken for UTC and moved once more."""

    message: str
    sentence: str
    twice: bool


WAYS = {
    "one-clock": Way(
        "Preprocessing: one clock for answers and logs",
        "Serving hands the time zone of the data centre, {zone}, to featurelib instead of the customer's",
        False,
    ),
    "naive": Way(
        "Preprocessing: times as the operators read them",
        "Serving writes the time of an order as a naive time stamp of the data centre's zone, {zone}, which featurelib "
        "takes for UTC",
        True,
    ),
}


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change."""
    zone = truth.parameters["zone"]
    if truth.parameters["way"] == "one-clock":
        return (
            Edit(FILE, "METRES_PER_KM = 1000.0", f'CLOCK = "{zone}"\nMETRES_PER_KM = 1000.0'),
            Edit(FILE, '"timezone": order["timezone"],', '"timezone": CLOCK,'),
        )
    return (
        Edit(
            FILE,
            "from pathlib import Path\nfrom typing import Any\n",
            "from datetime import datetime\nfrom pathlib import Path\nfrom typing import Any\nfrom zoneinfo import ZoneInfo\n",
        ),
        Edit(FILE, "METRES_PER_KM = 1000.0", f'CLOCK = ZoneInfo("{zone}")\nMETRES_PER_KM = 1000.0'),
        Edit(
            FILE,
            '"placed_at": order["placed_at"],',
            '"placed_at": f"{datetime.fromisoformat(order[\'placed_at\']).astimezone(CLOCK):%Y-%m-%d %H:%M:%S}",',
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw the zone, the way and the onset."""
    seed = rng.randrange(2**31)
    way = rng.choice(sorted(WAYS))
    # A second move to the west leaves the rush nearly where it was for the largest city.
    zone = rng.choice(sorted(z for z, hours in PLACES.items() if hours > 0 or not WAYS[way].twice))
    hours = PLACES[zone]
    # The city with the middle offset decides the median over all orders.
    offset = hours if WAYS[way].twice else hours - CITIES["Africa/Tunis"]
    place = zone.rsplit("/", 1)[1].replace("_", " ").lower()
    return Truth(
        scenario="timezone-offset",
        workload="eta",
        seed=seed,
        cause="timezone-offset",
        component="serving-code",
        object="local_hour",
        object_aliases=(FILE, "preprocess.py", "placed_at", "timezone", "CLOCK", "hour", "local hour"),
        mechanism=Mechanism(
            sentence=WAYS[way].sentence.format(zone=zone) + ", so that local_hour is hours off and the rush is missed.",
            concepts=(
                ("hour", "hours", "local_hour", "clock"),
                (
                    "time zone", "timezone", "zone", "utc", "naive", "data centre", "data center", "datacenter", "server",
                    place, zone,
                ),
                ("customer", "customers", "customer's", "local", "tunis", "istanbul", "sao paulo", "city", "cities"),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("unit-mismatch", "dtype-rounding", "imputation-mismatch", "wrong-alias"),
        supporting=(
            "feature local_hour parity_offset",
            "feature local_hour parity_mismatch",
            "feature local_hour mean",
            "feature local_hour window=before mean",
            "feature weekend parity_mismatch",
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=("feature local_hour parity_offset", "feature local_hour mean"),
        remedy="Hand the order's time in UTC and the customer's own zone to featurelib, as training does.",
        parameters={"way": way, "zone": zone, "offset": offset, "file": FILE},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the other clock."""
    message = WAYS[str(truth.parameters["way"])].message
    stack.workspace.commit(kit.change(truth, message, *edits(truth)))

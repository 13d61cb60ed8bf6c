"""The job that fills the courier table copies the records of a day in spring, left over from a backfill."""

import random
from datetime import date, timedelta

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "training/eta/refresh.py"
MONDAYS = tuple(date(2026, 3, 30) + timedelta(weeks=week) for week in range(11))
"""Days of the canonical calendar that a backfill could have ended with; records that are younger are still good enough."""
SUNDAY = date(2026, 9, 6)
"""Day of that calendar on which the age of the records is taken."""


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change: the job no longer looks for the newest day."""
    day = date.fromisoformat(str(truth.parameters["day"]))
    return (Edit(FILE, "UNTIL: date | None = None", f"UNTIL: date | None = date({day.year}, {day.month}, {day.day})"),)


def plan(rng: random.Random) -> Truth:
    """Draw the day and the onset."""
    seed = rng.randrange(2**31)
    day = rng.choice(MONDAYS)
    return Truth(
        scenario="stale-feature-table",
        workload="eta",
        seed=seed,
        cause="stale-feature-store",
        component="feature-store",
        object="couriers",
        object_aliases=(
            "features.db", "courier table", "couriers table", "feature table", "online feature table", FILE, "refresh.py",
            "UNTIL", "refresh", "refresh job", "courier features",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The refresh job copies the records of {day} instead of the newest ones, because an end date was left in "
                "its configuration; serving and training read the old table alike."
            ),
            concepts=(
                ("old", "older", "outdated", "stale", "age", "days old", "not refreshed", "months", "spring"),
                ("refresh", "job", "materialisation", "materialization", "materialise", "copies", "copied", "backfill"),
                ("end date", "until", "fixed date", "fixed day", "hard-coded date", "left over", "leftover", day.isoformat()),
            ),
            numbers={"age": float((SUNDAY - day).days)},
        ),
        onset=kit.onset(rng),
        look_alikes=("wrong-entity-join", "feature-absent-at-serving", "concept-drift"),
        supporting=(
            "table couriers updated_on",
            "table couriers age_days",
            "table couriers rows",
            "feature courier_speed_kmh null_share",
            "feature courier_speed_kmh window=before null_share",
            "feature courier_speed_kmh parity_mismatch",
            "parity mismatch",
            "quality mae",
            "registry alias=champion version",
        ),
        discriminating=("table couriers updated_on", "table couriers age_days"),
        remedy=f"Take the end date out of {FILE} and run the refresh again.",
        parameters={"day": day.isoformat(), "file": FILE},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the end date, and let the job run once."""
    stack.workspace.commit(kit.change(truth, "Refresh: make the backfill of the spring repeatable", *edits(truth)))
    kit.run(stack, "refresh")

"""Serving keeps one row for each kind of order and fills it in place, so that orders of one kind share it."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
_MADE = '        self.couriers = Couriers(data / "features.db")\n'
_BEGIN = '        return {\n            "placed_at": order["placed_at"],\n'
_END = '            "courier_hired_on": courier.get("hired_on"),\n        }\n'


@dataclass(frozen=True)
class Kind:
    """Which orders share a row: the columns, how it is said, and the commit's message."""

    columns: tuple[str, str]
    how: str
    message: str


KINDS = {
    "vehicle-zone": Kind(("vehicle", "zone"), "vehicle and zone", "Preprocessing: reuse the rows of each kind of order"),
    "vehicle-city": Kind(("vehicle", "timezone"), "vehicle and city", "Preprocessing: rows are made once and filled"),
    "zone-city": Kind(("zone", "timezone"), "zone and city", "Preprocessing: no new row for each order"),
}  # fmt: skip


def kind(truth: Truth) -> Kind:
    """Return the kind a truth was drawn for."""
    return KINDS[str(truth.parameters["kind"])]


def kept(truth: Truth) -> str:
    """Return the expression of the row that an order gets."""
    first, second = kind(truth).columns
    return f'self.rows.setdefault((order["{first}"], order["{second}"]), dict.fromkeys(known))'


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the commit that keeps the rows."""
    return (
        Edit(FILE, _MADE, f"{_MADE}        self.rows: dict[tuple[str, str], dict[str, Any]] = {{}}\n"),
        Edit(FILE, _BEGIN, _BEGIN.replace("return {", "known = {")),
        Edit(
            FILE, _END,
            f"{_END}        row = {kept(truth)}\n"
            "        row.update((name, value) for name, value in known.items() if value is not None)\n"
            "        return row\n",
        ),
    )  # fmt: skip


def plan(rng: random.Random) -> Truth:
    """Draw the kind of orders that share a row, and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(KINDS))
    chosen = KINDS[name]
    return Truth(
        scenario="mutated-cache",
        workload="eta",
        seed=seed,
        cause="mutated-cache",
        component="serving-code",
        object=FILE,
        object_aliases=(
            "preprocess.py", "rows", "row", "self.rows", "Preprocessor.row", "Preprocessor.rows", "Preprocessor", "cached row",
            "cached rows", "preprocessing",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Serving keeps one row for each {chosen.how} and fills it in place, so the orders of a batch that agree in these "
                "share one row, the last one's, and whatever an order does not know is left over from the order before."
            ),
            concepts=(
                ("cached", "cache", "kept", "keeps", "reused", "reuses", "reuse", "one row", "same row", "shared", "share"),
                (
                    "in place", "mutated", "mutates", "changed", "overwritten", "overwrites", "overwrite", "updated", "updates",
                    "fills", "filled", "modified", "modifies",
                ),
                (
                    "last", "previous", "order before", "orders before", "earlier", "other order", "another order", "other orders",
                    "left over", "leftover", "leaks", "leak", "history",
                ),
                (chosen.how, *chosen.how.split(" and "), "kind", "kinds", "batch", "batches"),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("category-encoding-order", "wrong-entity-join", "scaler-refit", "imputation-mismatch", "stale-feature-store"),
        supporting=(
            "batch mismatch",
            "batch largest_difference",
            "feature distance_km parity_mismatch",
            "feature distance_km parity_ratio",
            "feature kitchen_minutes parity_mismatch",
            "feature kitchen_minutes null_share",
            "feature kitchen_minutes window=before null_share",
            "raw kitchen_seconds null_share",
            "feature distance_km drift",
            "parity mismatch",
            "prediction drift",
            "quality mae",
            "registry alias=champion version",
        ),
        discriminating=(
            "feature distance_km parity_mismatch", "feature kitchen_minutes parity_mismatch",
            "feature kitchen_minutes null_share",
        ),
        remedy="Fill a copy of the row, or a new row, for each order, so that no two orders share one.",
        parameters={"kind": name, "how": chosen.how, "file": FILE},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the rows."""
    stack.workspace.commit(kit.change(truth, kind(truth).message, *edits(truth)))

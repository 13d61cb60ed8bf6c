"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.mutated-cache.fault")
_TABLE = "        table = self.couriers.get("


def copied(truth: Truth) -> Commit:
    """Fill a copy of the row."""
    return kit.mend(
        "Every order gets a row of its own", Edit(fault.FILE, fault.kept(truth), f"dict({fault.kept(truth)})")
    )


def emptied(_: Truth) -> Commit:
    """Forget the rows at the beginning of a request."""
    return kit.mend(
        "Begin every request with empty rows", Edit(fault.FILE, _TABLE, f"        self.rows.clear()\n{_TABLE}")
    )


def unknown_too(_: Truth) -> Commit:
    """Write unknown values into the row as well."""
    return kit.mend(
        "Unknown values are written as well",
        Edit(fault.FILE, " for name, value in known.items() if value is not None", " for name, value in known.items()"),
    )


REFERENCE: Fix = kit.committed("fill a copy of the row", "No order can see another one's values.", copied)
DECOYS: tuple[Fix, ...] = (
    kit.restart(),
    kit.committed(
        "begin every request with empty rows",
        "Nothing is left over from the request before; the orders of one batch still share their rows.",
        emptied,
    ),
    kit.committed(
        "write unknown values as well",
        "Single requests are right now; the orders of one batch still share their rows.",
        unknown_too,
    ),
    kit.committed(
        "one thread",
        "It is no race: the rows are shared by orders that come one after another.",
        lambda _: kit.mend("Serving: one request at a time", kit.setting("THREADS", "40", "1")),
    ),
    kit.retrain(),
)

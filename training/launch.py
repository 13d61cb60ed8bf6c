"""The day that every other date of the workloads is counted from.

`LAUNCH_DAY` in the environment names it, so that one system can have gone live on another Monday than the next. Hour and
weekday are features, so two launches should lie whole weeks apart.
"""

import os
from datetime import date, timedelta

LAUNCH = date.fromisoformat(os.environ.get("LAUNCH_DAY", "2026-08-31"))
"""First day on which requests are answered live."""


def before(weeks: int, then: int = 0) -> date:
    """Return the day `weeks` before the launch, and `then` days after that."""
    return LAUNCH - timedelta(weeks=weeks) + timedelta(days=then)


def on(weeks: int, then: int = 0) -> str:
    """Return that day as text."""
    return before(weeks, then).isoformat()

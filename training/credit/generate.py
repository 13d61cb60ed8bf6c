"""Synthetic loan applications of a fictional consumer lender, with believable economics. No real person is in them.

Whether a loan defaults within 90 days of its payment is drawn from a logistic risk: it grows with the share of income
that the monthly payment takes, with the use of existing credit lines, late payments and recent inquiries, and falls with
income, with the time in the present job and with the length of the credit history. Employment, housing and purpose of
the loan move it as well. Three applicants in twenty have no file at the credit bureau, and some leave the time in their
job open. The number of dependents hardly matters, and the time taken to fill in the form not at all. Attributes that a
lender must not decide by are not collected.

Outcomes of declined applicants are those of the loan they took elsewhere, as reported by the bureau, so every
application gets a label.
"""

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from training.credit.stream import NAMES
from training.launch import LAUNCH, before

HISTORY = (before(52), before(14))
"""First day of the training history, and the day after its last: outcomes of later days are not known yet."""
STREAM = (before(18), before(-5))
"""Days of the applications that the API receives. Those before the launch are a sample of the branch business that each
champion scores again, so that there are answers whose outcomes are known."""
TIME_FIELD = "submitted_at"
HISTORY_PER_DAY = 120
STREAM_PER_DAY = 300
SAMPLE_PER_DAY = 16
"""Applications a day: of the history, live, and of the earlier sample."""
WITHOUT_FILE = 0.15
"""Share of customers whom the credit bureau does not know."""
UNKNOWN_TENURE = 0.12
"""Share of employees who leave the time in their job open."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)
CUSTOMERS = 3000
PURPOSES = ("car", "renovation", "moving", "other", "medical", "consolidation")
PURPOSE_SHARE = (0.24, 0.18, 0.1, 0.16, 0.09, 0.23)
PURPOSE_RISK = {"car": -0.3, "renovation": -0.2, "moving": 0.0, "other": 0.1, "medical": 0.25, "consolidation": 0.45}
EMPLOYMENTS = ("retired", "permanent", "fixed_term", "self_employed", "unemployed")
EMPLOYMENT_SHARE = (0.09, 0.55, 0.16, 0.15, 0.05)
EMPLOYMENT_RISK = {"retired": -0.35, "permanent": -0.25, "fixed_term": 0.25, "self_employed": 0.35, "unemployed": 1.1}
HOMES = ("own", "mortgage", "with_family", "rent")
HOME_SHARE = (0.18, 0.32, 0.12, 0.38)
HOME_RISK = {"own": -0.45, "mortgage": -0.2, "with_family": 0.15, "rent": 0.3}
TERMS = (12, 24, 36, 48, 60)
RATE = 0.079 / 12
BASE_RISK = -2.3


@dataclass(frozen=True)
class World:
    """How the world differs from the one of the history.

    `default_odds` is the odds of a default over what they were. Applicants who default, and those who do not, look as
    they always did; only their shares are others. So the odds of each single applicant change by that same factor.
    """

    default_odds: float = 1.0

    def admits(self, rng: np.random.Generator, actual: float) -> bool:
        """Whether an application with this outcome, drawn from the world of the history, is one of this world's."""
        weights = {1.0: self.default_odds, 0.0: 1.0}
        return bool(rng.random() < weights[actual] / max(weights.values()))

    def risk(self, before: float) -> float:
        """Probability of a default of an applicant who had the probability `before` in the world of the history."""
        odds = self.default_odds * before / (1 - before)
        return odds / (1 + odds)


@dataclass(frozen=True)
class Customer:
    """A person and, where `known`, their row of the bureau table."""

    customer_id: str
    known: bool
    utilisation: float
    delinquencies_24m: int
    inquiries_6m: int
    open_accounts: int
    oldest_account_on: date


def customers(seed: int) -> list[Customer]:
    """Draw the customers of a seed. Those without a bureau file have borrowed too, but nowhere that reports."""
    rng = np.random.default_rng([seed, 1])
    found = []
    for index in range(CUSTOMERS):
        strain = float(rng.normal())
        found.append(
            Customer(
                customer_id=f"p{index:05d}",
                known=bool(rng.random() >= WITHOUT_FILE),
                utilisation=round(float(np.clip(0.38 + 0.2 * strain + rng.normal(0, 0.13), 0.0, 1.15)), 3),
                delinquencies_24m=int(rng.poisson(0.35 * math.exp(0.7 * strain))),
                inquiries_6m=int(rng.poisson(1.1 * math.exp(0.35 * strain))),
                open_accounts=1 + int(rng.poisson(4.2)),
                oldest_account_on=LAUNCH - timedelta(days=int(rng.gamma(2.2, 1200)) + 420),
            )
        )
    return found


def risk(application: dict[str, Any], customer: Customer, months_employed: float) -> float:
    """Probability of a default within 90 days; `months_employed` is the true time in the job, 0 without one."""
    amount, term, income = application["amount"], application["term_months"], application["monthly_income"]
    burden = amount * RATE / (1 - (1 + RATE) ** -term) / income
    submitted = datetime.fromisoformat(application["submitted_at"]).date()
    years = (submitted - customer.oldest_account_on).days / 365.25
    score = (
        BASE_RISK
        + 6.5 * (min(burden, 0.6) - 0.15)
        - 0.75 * math.log(income / 2300)
        + 2.6 * (customer.utilisation - 0.38)
        + 0.6 * min(customer.delinquencies_24m, 4)
        + 0.2 * min(customer.inquiries_6m, 6)
        - 0.45 * math.log1p(months_employed / 24)
        - 0.35 * math.log1p(years / 4)
        + 0.03 * application["dependents"]
        + PURPOSE_RISK[application["purpose"]]
        + EMPLOYMENT_RISK[application["employment"]]
        + HOME_RISK[application["home"]]
    )
    return 1 / (1 + math.exp(-score))


def applications(
    rng: np.random.Generator,
    days: tuple[date, date],
    people: list[Customer],
    prefix: str,
    per_day: int,
    world: World | None = None,
    since: datetime = LONG_AGO,
) -> Iterator[dict[str, Any]]:
    """Yield applications with their outcome in event-time order: `{"order": raw payload, "actual": 1.0 or 0.0}`.

    Those sent at `since` or later are of another `world`, and have the probability that is known at `best` as well: the
    true one, which no model can beat. All others stay what they are without it.
    """
    number = 0
    day = days[0]
    while day < days[1]:
        volume = SAMPLE_PER_DAY if prefix == "a" and day < LAUNCH else per_day
        count = int(rng.poisson(volume * (0.7 if day.weekday() >= 5 else 1.12)))
        # Most forms are sent in the late morning and after work.
        evening = rng.random(count) < 0.45
        hours = np.clip(np.where(evening, rng.normal(19.0, 2.2, count), rng.normal(11.5, 2.8, count)), 0.2, 23.7)
        for hour in sorted(float(value) for value in hours):
            number += 1
            at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=int(hour * 3600))
            key = f"{prefix}{number:07d}"
            order, probability, actual = _application(rng, at, people, key)
            if world is None or at < since:
                yield {"order": order, "actual": actual}
                continue
            while not world.admits(rng, actual):
                order, probability, actual = _application(rng, at, people, key)
            yield {"order": order, "actual": actual, "best": world.risk(probability)}
        day += timedelta(days=1)


def _application(
    rng: np.random.Generator, at: datetime, people: list[Customer], key: str
) -> tuple[dict[str, Any], float, float]:
    """Draw an application of the world of the history, with its true probability of a default and its outcome."""
    customer = people[int(rng.integers(len(people)))]
    employment = str(rng.choice(EMPLOYMENTS, p=EMPLOYMENT_SHARE))
    employed = employment not in ("retired", "unemployed")
    months = float(rng.gamma(1.3, 48)) if employed else 0.0
    level = {"retired": 0.8, "permanent": 1.1, "fixed_term": 0.85, "self_employed": 1.1, "unemployed": 0.5}[employment]
    income = round(float(np.clip(rng.lognormal(math.log(2150 * level), 0.38), 700, 15_000)), 0)
    # People ask for some months of their income, and for longer the more it is.
    months_of_income = float(rng.lognormal(math.log(3.4), 0.6))
    amount = round(float(np.clip(income * months_of_income, 1000, 50_000)) / 100) * 100.0
    term = int(
        rng.choice(TERMS, p=(0.14, 0.24, 0.28, 0.16, 0.18) if months_of_income < 4 else (0.03, 0.12, 0.25, 0.25, 0.35))
    )
    known = employed and rng.random() >= UNKNOWN_TENURE
    application = {
        "application_id": key,
        "submitted_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "customer_id": customer.customer_id,
        "amount": amount,
        "term_months": term,
        "purpose": str(rng.choice(PURPOSES, p=PURPOSE_SHARE)),
        "employment": employment,
        "months_employed": round(months, 0) if known else None,
        "annual_income": income * 12,
        "home": str(rng.choice(HOMES, p=HOME_SHARE)),
        "dependents": int(rng.poisson(0.9)),
        "form_seconds": round(float(rng.lognormal(math.log(420), 0.45)), 0),
    }
    probability = risk({**application, "monthly_income": income}, customer, months)
    return application, probability, float(rng.random() < probability)


def history(seed: int) -> list[dict[str, Any]]:
    """Applications of the training history with their outcomes."""
    return list(applications(np.random.default_rng([seed, 2]), HISTORY, customers(seed), "h", HISTORY_PER_DAY))


def stream(seed: int, world: World | None = None, since: datetime = LONG_AGO) -> Iterator[dict[str, Any]]:
    """Applications that the API will receive, with their outcomes."""
    return applications(np.random.default_rng([seed, 3]), STREAM, customers(seed), "a", STREAM_PER_DAY, world, since)


def sample(n: int, name: str, seed: int, days: tuple[date, date], world: World | None = None) -> list[dict[str, Any]]:
    """Return `n` applications of an independent stream, spread over the days from the launch on."""
    stream_id = int.from_bytes(name.encode()[:6], "big")
    rng = np.random.default_rng([seed, 4, stream_id])
    live = (max(days[0], LAUNCH), days[1])
    found = list(applications(rng, live, customers(seed), "a", STREAM_PER_DAY, world))
    chosen = sorted(rng.choice(len(found), size=min(n, len(found)), replace=False))
    return [found[index] for index in chosen]


def write_tables(seed: int, data: Path) -> None:
    """Fill the online feature table `features.db` with the bureau files."""
    with closing(sqlite3.connect(data / "features.db")) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS bureau (customer_id TEXT PRIMARY KEY, utilisation_percent REAL, "
            "delinquencies_24m INTEGER, inquiries_6m INTEGER, open_accounts INTEGER, oldest_account_on TEXT)"
        )
        connection.executemany(
            "INSERT OR REPLACE INTO bureau VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    c.customer_id, round(100 * c.utilisation, 1), c.delinquencies_24m, c.inquiries_6m, c.open_accounts,
                    c.oldest_account_on.isoformat(),
                )
                for c in customers(seed) if c.known
            ],
        )  # fmt: skip


def write_stream(seed: int, data: Path, world: World | None = None, since: datetime = LONG_AGO) -> None:
    """Write the stream of production in event-time order."""
    temporary = data / f".{NAMES.file}"
    with temporary.open("w", encoding="utf-8") as handle:
        for row in stream(seed, world, since):
            stored = {"order": row["order"], "actual": row["actual"]}
            handle.write(json.dumps(stored, separators=(",", ":")) + "\n")
    temporary.replace(data / NAMES.file)

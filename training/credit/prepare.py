"""The training side's way from raw applications to features: the bureau table joined, units converted, then featurelib."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import featurelib_credit
import pandas as pd

FEATURES: tuple[str, ...] = tuple(featurelib_credit.FEATURES)
MONTHS_PER_YEAR = 12.0
SECONDS_PER_MINUTE = 60.0
PERCENT = 100.0


def bureau_table(data: Path) -> dict[str, dict[str, Any]]:
    """Bureau files by customer."""
    with closing(sqlite3.connect(f"file:{data / 'features.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return {row["customer_id"]: dict(row) for row in connection.execute("SELECT * FROM bureau")}


def features(applications: Sequence[dict[str, Any]], data: Path) -> pd.DataFrame:
    """Return one row of FEATURES per application, float64, NaN where a value is unknown."""
    table = bureau_table(data)
    frame = pd.DataFrame([_row(entry, table.get(entry["customer_id"], {})) for entry in applications])
    result: pd.DataFrame = featurelib_credit.transform(frame)
    return result


def _row(application: dict[str, Any], bureau: dict[str, Any]) -> dict[str, Any]:
    used = bureau.get("utilisation_percent")
    return {
        "submitted_at": application["submitted_at"],
        "amount": application["amount"],
        "term_months": application["term_months"],
        "purpose": application["purpose"],
        "employment": application["employment"],
        "home": application["home"],
        "monthly_income": application["annual_income"] / MONTHS_PER_YEAR,
        "months_employed": application["months_employed"],
        "dependents": application["dependents"],
        "form_minutes": application["form_seconds"] / SECONDS_PER_MINUTE,
        "utilisation": None if used is None else used / PERCENT,
        "delinquencies_24m": bureau.get("delinquencies_24m"),
        "inquiries_6m": bureau.get("inquiries_6m"),
        "open_accounts": bureau.get("open_accounts"),
        "oldest_account_on": bureau.get("oldest_account_on"),
    }

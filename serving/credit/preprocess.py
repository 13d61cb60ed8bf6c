"""The serving side's way from raw applications to features: bureau files joined, units converted, then featurelib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import featurelib_credit
import pandas as pd

from serving.credit.bureau import Bureau

MONTHS_PER_YEAR = 12.0
SECONDS_PER_MINUTE = 60.0
PERCENT = 100.0


class Preprocessor:
    """Turns raw payloads into model features."""

    def __init__(self, data: Path) -> None:
        self.bureau = Bureau(data / "features.db")

    def transform(self, applications: Sequence[dict[str, Any]]) -> pd.DataFrame:
        """Return one row of features per application, float64, NaN where a value is unknown."""
        files = self.bureau.files({entry["customer_id"] for entry in applications})
        frame = pd.DataFrame([self.row(entry, files.get(entry["customer_id"], {})) for entry in applications])
        result: pd.DataFrame = featurelib_credit.transform(frame)
        return result

    def row(self, application: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
        """Return featurelib's input for one application."""
        monthly_income = application["annual_income"] / MONTHS_PER_YEAR
        months_employed = application["months_employed"]
        return {
            "submitted_at": application["submitted_at"],
            "amount": application["amount"],
            "term_months": application["term_months"],
            "purpose": application["purpose"],
            "employment": application["employment"],
            "home": application["home"],
            "monthly_income": monthly_income,
            "months_employed": months_employed,
            "dependents": application["dependents"],
            "form_minutes": application["form_seconds"] / SECONDS_PER_MINUTE,
            "utilisation": share(file.get("utilisation_percent")),
            "delinquencies_24m": file.get("delinquencies_24m"),
            "inquiries_6m": file.get("inquiries_6m"),
            "open_accounts": file.get("open_accounts"),
            "oldest_account_on": file.get("oldest_account_on"),
        }


def share(percent: float | None) -> float | None:
    """Convert a percentage. None, which is unknown, stays unknown."""
    if percent is None:
        return None
    return percent / PERCENT

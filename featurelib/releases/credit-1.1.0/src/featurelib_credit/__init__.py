"""Features of a loan application, computed in one place for training and serving.

`transform` takes one row per application and returns one row of numbers per application. Unknown values are NaN: how
they are filled belongs to the model that was trained on them.

Input columns, and units:
    submitted_at            UTC time stamp, ISO 8601
    amount                  amount asked for, euro
    term_months             months to repay it in
    purpose, employment, home   names, or the codes of LEVELS
    monthly_income          net income, euro a month
    months_employed         with the present employer, NaN where there is none or it is not known
    dependents              count
    form_minutes            time the applicant took to fill in the form, minutes
    utilisation             share of the granted credit lines that is in use, NaN without a bureau file
    delinquencies_24m       late payments in two years, NaN without a bureau file
    inquiries_6m            credit inquiries in six months, NaN without a bureau file
    open_accounts           count, NaN without a bureau file
    oldest_account_on       date, ISO 8601, missing without a bureau file
"""

import numpy as np
import pandas as pd

__version__ = "1.1.0"

LEVELS: dict[str, dict[str, int]] = {
    "purpose": {"car": 0, "renovation": 1, "moving": 2, "other": 3, "medical": 4, "consolidation": 5},
    "employment": {"retired": 0, "permanent": 1, "fixed_term": 2, "self_employed": 3, "unemployed": 4},
    "home": {"own": 0, "mortgage": 1, "with_family": 2, "rent": 3},
}
"""Code of each category, from the least to the greatest share of defaults."""

FEATURES = (
    "log_amount",
    "term_months",
    "instalment_ratio",
    "log_income",
    "purpose",
    "employment",
    "home",
    "months_employed",
    "dependents",
    "form_minutes",
    "utilisation",
    "delinquencies_24m",
    "inquiries_6m",
    "open_accounts",
    "history_months",
)
"""Columns of the result, in order."""

MONTHLY_RATE = 0.079 / 12
"""Nominal rate of the offer, a month."""
DAYS_PER_MONTH = 30.4375


def transform(applications: pd.DataFrame) -> pd.DataFrame:
    """Return the features of each application, float64, in the order of FEATURES, on the index of `applications`."""
    result = pd.DataFrame(index=applications.index)
    amount = pd.to_numeric(applications["amount"])
    term = pd.to_numeric(applications["term_months"])
    income = pd.to_numeric(applications["monthly_income"])
    result["log_amount"] = np.log(amount)
    result["term_months"] = term
    result["instalment_ratio"] = instalment(amount, term) / income
    result["log_income"] = np.log(income)
    for name, codes in LEVELS.items():
        result[name] = _codes(applications[name], codes)
    for name in ("months_employed", "dependents", "form_minutes", "utilisation"):
        result[name] = pd.to_numeric(applications[name])
    for name in ("delinquencies_24m", "inquiries_6m", "open_accounts"):
        result[name] = pd.to_numeric(applications[name])
    result["history_months"] = _months(applications["oldest_account_on"], applications["submitted_at"])
    return result[list(FEATURES)].astype("float64")


def instalment(amount: pd.Series, term_months: pd.Series) -> pd.Series:
    """Monthly payment of an annuity loan, euro."""
    return amount * MONTHLY_RATE / (1 - (1 + MONTHLY_RATE) ** -term_months)


def _codes(column: pd.Series, codes: dict[str, int]) -> pd.Series:
    """Codes of names; a column of codes is passed on. What is neither is unknown."""
    if not pd.api.types.is_numeric_dtype(column):
        column = column.map(codes)
    return pd.to_numeric(column, errors="coerce")


def _months(since: pd.Series, until: pd.Series) -> pd.Series:
    """Months between two dates, with their fraction."""
    passed = pd.to_datetime(until, utc=True) - pd.to_datetime(since, utc=True)
    return passed.dt.total_seconds() / 86_400 / DAYS_PER_MONTH

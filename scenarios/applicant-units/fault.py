"""Serving hands one quantity of an application over in another unit than training does."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/credit/preprocess.py"
_INCOME = '        monthly_income = application["annual_income"] / MONTHS_PER_YEAR\n'
_TENURE = '        months_employed = application["months_employed"]\n'
_SHARE = "    return percent / PERCENT\n"


@dataclass(frozen=True)
class Unit:
    """One wrong conversion: the feature, the factor, how it is said, its words, the commit's message and its edits."""

    feature: str
    factor: float
    served: str
    trained: str
    words: tuple[str, ...]
    direction: str
    message: str
    edits: tuple[Edit, ...]


UNITS = {
    "annual": Unit(
        "log_income", 12.0, "euro a year", "euro a month",
        ("year", "annual", "a year", "yearly", "per year", "month", "monthly"), "better",
        "Preprocessing: income as the form has it, no arithmetic on money",
        (Edit(FILE, _INCOME, '        monthly_income = application["annual_income"]\n'),),
    ),
    "half-month": Unit(
        "log_income", 0.5, "euro a half month, by 24 pay days a year", "euro a month",
        ("half", "half month", "half-month", "pay day", "pay days", "24", "fortnight", "twice a month"), "worse",
        "Preprocessing: incomes by pay day, as the payroll service counts them",
        (
            Edit(FILE, "MONTHS_PER_YEAR = 12.0\n", "MONTHS_PER_YEAR = 12.0\nPAY_DAYS_PER_MONTH = 2.0\n"),
            Edit(FILE, _INCOME, '        monthly_income = application["annual_income"] / MONTHS_PER_YEAR / PAY_DAYS_PER_MONTH\n'),
        ),
    ),
    "days": Unit(
        "months_employed", 30.4375, "days", "months", ("day", "days", "month", "months"), "better",
        "Preprocessing: time in the job by day, as the new form will send it",
        (
            Edit(FILE, "MONTHS_PER_YEAR = 12.0\n", "MONTHS_PER_YEAR = 12.0\nDAYS_PER_MONTH = 30.4375\n"),
            Edit(
                FILE, _TENURE,
                '        known = application["months_employed"]\n'
                "        months_employed = None if known is None else known * DAYS_PER_MONTH\n",
            ),
        ),
    ),
    "twice": Unit(
        "utilisation", 0.01, "hundredths of a share, divided twice", "a share of the credit lines",
        ("percent", "per cent", "hundred", "hundredth", "twice", "share", "divided twice", "100"), "better",
        "Bureau: shares, for those who ask for a file",
        (
            Edit(
                FILE, '            "utilisation": share(file.get("utilisation_percent")),\n',
                '            "utilisation": share(share(file.get("utilisation_percent"))),\n',
            ),
        ),
    ),
}  # fmt: skip


def unit(truth: Truth) -> Unit:
    """Return the conversion that a truth was drawn for."""
    return UNITS[str(truth.parameters["unit"])]


def plan(rng: random.Random) -> Truth:
    """Draw the quantity and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(UNITS))
    found = UNITS[name]
    raw = {"log_income": "annual_income", "months_employed": "months_employed", "utilisation": "utilisation_percent"}
    # The model has the logarithm of the income and its ratio to the instalment, which the factor moves in other ways.
    measured = "instalment_ratio" if found.feature == "log_income" else found.feature
    ratio = 1 / found.factor if measured == "instalment_ratio" else found.factor
    return Truth(
        scenario="applicant-units",
        workload="credit",
        seed=seed,
        cause="unit-mismatch",
        component="serving-code",
        object=found.feature,
        object_aliases=(
            FILE, "preprocess.py", raw[found.feature], measured, "monthly_income", "income", found.feature.replace("_", " "),
        )
        if found.feature == "log_income"
        else (FILE, "preprocess.py", raw[found.feature], found.feature.replace("_", " ")),
        mechanism=Mechanism(
            sentence=(
                f"Serving hands {raw[found.feature].removesuffix('_percent')} to the feature library in {found.served}, and training in "
                f"{found.trained}: a factor of {found.factor:g} for every application, which makes applicants look like a "
                f"{found.direction} risk."
            ),
            concepts=(
                ("unit", "units", "conversion", "converted", "factor", "divided", "scale"),
                found.words,
                ("training", "both sides", "trained", "training side"),
            ),
            numbers={"factor": found.factor, "ratio": ratio},
        ),
        onset=kit.onset(rng),
        look_alikes=("covariate-shift", "label-shift", "sentinel-default", "upstream-schema-change", "class-order-flip"),
        supporting=(
            f"feature {measured} parity_ratio",
            f"feature {found.feature} parity_mismatch",
            f"feature {found.feature} drift",
            "parity mismatch",
            "raw annual_income drift",
            "raw months_employed drift",
            "prior unexplained",
            "prediction mean",
            "prediction drift",
            "decision approve share",
            "decision threshold",
            "registry alias=champion version",
        ),
        discriminating=(f"feature {measured} parity_ratio", f"feature {found.feature} parity_mismatch"),
        remedy=f"Convert to {found.trained} in {FILE} again, as the training side does, and deploy.",
        parameters={
            "unit": name, "file": FILE, "served": found.served, "trained": found.trained, "measured": measured,
            "factor": found.factor, "direction": found.direction,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the conversion."""
    stack.workspace.commit(kit.change(truth, unit(truth).message, *unit(truth).edits))

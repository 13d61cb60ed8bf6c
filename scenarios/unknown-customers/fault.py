"""Serving hands out a made-up bureau file for customers whom the bureau does not know."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/credit/preprocess.py"
FEATURE = "utilisation"
_LOOKUP = 'files.get(entry["customer_id"], {})'


@dataclass(frozen=True)
class Made:
    """A made-up file: use of the credit lines in percent, late payments, inquiries and accounts; and the message."""

    utilisation: float
    late: int
    inquiries: int
    accounts: int
    message: str

    @property
    def share(self) -> float:
        """The utilisation as the model gets it."""
        return self.utilisation / 100


FILES = {
    "cautious": Made(100.0, 2, 3, 1, "Bureau: a cautious file for those without one"),
    "worst": Made(100.0, 4, 6, 0, "Bureau: no file is no good sign, whole file in place of gaps"),
    "nines": Made(999.0, 9, 9, 9, "Bureau: mark customers without a file, as the old host did"),
}


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change: a file for everybody."""
    made = FILES[str(truth.parameters["file_kind"])]
    return (
        Edit(
            FILE,
            "PERCENT = 100.0\n",
            "PERCENT = 100.0\n"
            f'NO_FILE = {{"utilisation_percent": {made.utilisation}, "delinquencies_24m": {made.late}, '
            f'"inquiries_6m": {made.inquiries}, "open_accounts": {made.accounts}}}\n'
            '"""File of a customer whom the bureau does not know."""\n',
        ),
        Edit(FILE, _LOOKUP, 'files.get(entry["customer_id"], NO_FILE)'),
    )


def plan(rng: random.Random) -> Truth:
    """Draw the made-up file and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(FILES))
    made = FILES[name]
    return Truth(
        scenario="unknown-customers",
        workload="credit",
        seed=seed,
        cause="sentinel-default",
        component="serving-code",
        object=FEATURE,
        object_aliases=(
            FILE, "preprocess.py", "NO_FILE", "bureau file", "bureau", "delinquencies_24m", "inquiries_6m", "open_accounts",
            "utilisation_percent",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Customers without a bureau file get a made-up one in serving, with a {FEATURE} of {made.share:g} and "
                f"{made.late} late payments, while in training their values are unknown and imputed; the model takes the "
                "constants for measurements."
            ),
            concepts=(
                (
                    "without a file", "no file", "without a bureau file", "unknown customers", "not known to the bureau",
                    "does not know", "missing file", "lookup", "customers whom the bureau",
                ),
                (
                    "made-up", "made up", "constant", "default", "sentinel", "placeholder", "fixed value", "ordinary-looking",
                    f"{made.share:g}",
                ),
                ("null", "unknown", "missing", "imputed", "imputation", "median", "nan"),
            ),
            numbers={"constant": made.share},
        ),
        onset=kit.onset(rng),
        look_alikes=("unit-mismatch", "label-shift", "covariate-shift", "imputation-mismatch", "class-order-flip"),
        supporting=(
            f"feature {FEATURE} null_share",
            f"feature {FEATURE} window=before null_share",
            f"feature {FEATURE} side=training null_share",
            f"feature {FEATURE} mode",
            f"feature {FEATURE} mode_share",
            f"feature {FEATURE} parity_mismatch",
            "feature delinquencies_24m null_share",
            "parity mismatch",
            "prediction drift",
            "prior unexplained",
            "decision approve share",
            "decision threshold",
            "registry alias=champion version",
        ),
        discriminating=(f"feature {FEATURE} null_share", f"feature {FEATURE} mode_share"),
        remedy="Let the values of a customer without a file be unknown, as in training; the pipeline imputes them. Deploy.",
        parameters={"file_kind": name, "file": FILE, "constant": made.share, "late": made.late},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the made-up file."""
    message = FILES[str(truth.parameters["file_kind"])].message
    stack.workspace.commit(kit.change(truth, message, *edits(truth)))

"""The right remedy and tempting wrong ones."""

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit

APPROVED = ("--alias", "champion", "--tag", "promotion=approved", "--tag", "decision=prior of the weekend")


def new_prior(stack: Stack, truth: Truth) -> None:
    """Take the share of defaults from the applications since the onset, whose outcomes nobody knows yet."""
    kit.run(stack, "train", "--prior", truth.onset.isoformat(), *APPROVED)


def lower_threshold(_: Truth) -> Commit:
    """Decline more of them."""
    return kit.mend(
        "Policy: be careful", Edit("serving/credit/policy.toml", "decline_from = 0.2", "decline_from = 0.1")
    )


REFERENCE: Fix = Fix(
    "move the prior to that of recent applications",
    "Within each class nothing changed, so the history still tells the classes apart; only their share had to be learned anew.",
    new_prior,
)
DECOYS: tuple[Fix, ...] = (
    kit.ran(
        "train again on the history",
        "The history has the old share of defaults, and so has whatever is fitted to it.",
        "train", *APPROVED,
    ),
    kit.committed(
        "decline from a lower probability",
        "Fewer bad loans are paid out, and every probability is as wrong as before for whoever prices by it.",
        lower_threshold,
    ),
    kit.roll_back(),
    kit.restart(),
)  # fmt: skip

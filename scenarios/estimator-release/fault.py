"""Serving goes back to an older scikit-learn, which reads the scorecard's estimator without an error, and otherwise."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FOLDER = "serving/credit"
FILE = f"{FOLDER}/requirements.in"
TRAINED = "1.7.2"
VERSIONS = ("1.4.2", "1.4.0", "1.3.2")
"""Releases before `multi_class` was deprecated. They load the estimator and take its unknown value for 'multinomial'."""
MESSAGES = ("Scorecard: the scikit-learn of the shared image", "Serving: pins of the risk platform, one image for all")


def plan(rng: random.Random) -> Truth:
    """Draw the release, the message and the onset, early enough for the share of approvals to be sure."""
    seed = rng.randrange(2**31)
    version = rng.choice(VERSIONS)
    return Truth(
        scenario="estimator-release",
        workload="credit",
        seed=seed,
        cause="dependency-version-mismatch",
        component="serving-environment",
        object="scikit-learn",
        object_aliases=(
            FILE, f"{FOLDER}/requirements.txt", "requirements.txt", "requirements.in", "sklearn", f"scikit-learn {version}",
            f"scikit-learn=={version}",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Serving has scikit-learn {version}, and the scorecard was trained with {TRAINED}: the older release loads the "
                "logistic regression, but applies the softmax of the multinomial case in place of the sigmoid, which squares "
                "the odds; the ranking stays, and nearly every probability of a default becomes too small."
            ),
            concepts=(
                ("scikit-learn", "sklearn"),
                (
                    "softmax", "sigmoid", "multinomial", "multi_class", "logistic function", "odds", "squares the odds",
                    "squared", "normalised otherwise", "link function", "over-confident", "overconfident",
                ),
                (
                    "too small", "too low", "smaller", "lower", "half", "halved", "more are approved", "underestimate",
                    "underestimates", "understated", "shrinks", "closer to 0", "towards 0",
                ),
            ),
        ),
        onset=kit.onset(rng, 0, 5),
        look_alikes=(
            "class-order-flip", "stale-scaler-statistics", "miscalibration", "label-shift", "covariate-shift",
            "serialization-incompatibility",
        ),
        supporting=(
            "pin serving scikit-learn",
            "pin model scikit-learn",
            "pin training scikit-learn",
            "prediction mean",
            "prediction side=training mean",
            "prediction parity_mismatch",
            "prediction parity_offset",
            "parity mismatch",
            "decision approve share",
            "decision threshold",
            "logs InconsistentVersionWarning",
            "registry alias=champion version",
        ),
        discriminating=("pin serving scikit-learn", "logs InconsistentVersionWarning"),
        remedy=f"Pin scikit-learn=={TRAINED} in {FILE}, lock, and deploy; or train and register with the version that serves.",
        parameters={"version": version, "trained": TRAINED, "file": FILE},
    )  # fmt: skip


def edit(truth: Truth) -> Edit:
    """Return the change of the pin."""
    return Edit(FILE, f"scikit-learn=={TRAINED}", f"scikit-learn=={truth.parameters['version']}")


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the pin with its lock file."""
    message = MESSAGES[truth.seed % len(MESSAGES)]
    stack.workspace.commit(kit.change(truth, message, edit(truth), relock=(FOLDER,)))

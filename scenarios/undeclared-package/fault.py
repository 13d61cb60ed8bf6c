"""The training pipeline takes a transformer from a package of the house that nobody declares for serving."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

MODEL = "training/credit/model.py"
TRAINING, SERVING = "training/credit/internal.txt", "serving/credit/internal.txt"
LIBRARY = "featurelib-credit==1.1.0\n"
IMPORT = "from sklearn.preprocessing import StandardScaler\n"
STEP = '("scale", StandardScaler())'
VERSION, APPROVED = 7, 5
PROJECT = """[build-system]
requires = ["flit_core>=3.9,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "{version}"
description = "{description}"
requires-python = ">=3.11"
"""


@dataclass(frozen=True)
class Package:
    """A package of the house: what it offers the pipeline, its code, and the commit that brings it."""

    name: str
    version: str
    offers: str
    description: str
    code: str
    step: str
    message: str


WINSORIZER = '''"""Robust steps of a pipeline."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class Winsorizer(TransformerMixin, BaseEstimator):
    """Cuts each column at quantiles of the training data."""

    def __init__(self, share=0.005):
        self.share = share

    def fit(self, values, _=None):
        self.low_, self.high_ = np.quantile(np.asarray(values), [self.share, 1 - self.share], axis=0)
        return self

    def transform(self, values):
        return np.clip(values, self.low_, self.high_)
'''
MEDIAN_SCALER = '''"""Scaling that a few extreme rows do not move."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class MedianScaler(TransformerMixin, BaseEstimator):
    """Centres each column on its median and divides by its interquartile range."""

    def fit(self, values, _=None):
        low, self.centre_, high = np.quantile(np.asarray(values), [0.25, 0.5, 0.75], axis=0)
        self.scale_ = np.where(high > low, high - low, 1.0)
        return self

    def transform(self, values):
        return (np.asarray(values) - self.centre_) / self.scale_
'''
PACKAGES = (
    Package(
        "scorekit", "1.0.0", "Winsorizer", "Steps that the scorecards share.", WINSORIZER,
        f'("tails", Winsorizer()), {STEP}', "Training: cut tails with scorekit",
    ),
    Package(
        "steadyscale", "0.3.1", "MedianScaler", "Scaling for skewed columns.", MEDIAN_SCALER,
        '("scale", MedianScaler())', "Training: scale by quartiles",
    ),
    Package(
        "riskblocks", "2.4.0", "Winsorizer", "Building blocks of risk models.", WINSORIZER,
        f'("tails", Winsorizer(share=0.01)), {STEP}', "Scorecard: steps from riskblocks",
    ),
)  # fmt: skip


def plan(rng: random.Random) -> Truth:
    """Draw the package and the onset."""
    seed = rng.randrange(2**31)
    chosen = rng.choice(PACKAGES)
    return Truth(
        scenario="undeclared-package",
        workload="credit",
        seed=seed,
        cause="missing-dependency",
        component="serving-environment",
        object=chosen.name,
        object_aliases=(
            SERVING, "internal.txt", f"{chosen.name}=={chosen.version}", f"{chosen.name} {chosen.version}", chosen.offers,
            f"{chosen.name}.{chosen.offers}",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The pipeline of version {VERSION} holds a {chosen.offers} of {chosen.name}, which is installed in training alone: "
                f"neither {SERVING} nor the model's requirements declare it, so the API ends while it loads the model."
            ),
            concepts=(
                (chosen.name, chosen.offers),
                (
                    "not declared", "undeclared", "not installed", "not in the requirements", "missing from", "absent",
                    "nobody declared", "does not declare", "do not declare", "is not in", "lacks",
                ),
                (
                    "load", "loads", "loading", "loaded", "unpickle", "unpickled", "unpickling", "at start", "does not start",
                    "modulenotfounderror", "import",
                ),
            ),
        ),
        onset=kit.onset(rng, 36, 44),
        look_alikes=(*(name for name in kit.DEAD if name != "missing-dependency"), "code-by-reference"),
        supporting=(
            f"pin serving {chosen.name}",
            f"pin training {chosen.name}",
            f"pin model {chosen.name}",
            "logs error",
            "logs error_message",
            "requests failed_share",
            "requests status=none share",
            "service serving running",
            "pin serving numpy",
            "pin model numpy",
            "registry alias=champion version",
            f"registry version={VERSION} promotion",
        ),
        discriminating=(f"pin serving {chosen.name}", f"pin training {chosen.name}", "logs error_message"),
        remedy=f"Add {chosen.name}=={chosen.version} to {SERVING} and deploy; or serve version {APPROVED} until that is done.",
        parameters={
            "package": chosen.name, "version": chosen.version, "offers": chosen.offers, "model": VERSION, "file": SERVING,
        },
    )  # fmt: skip


def package(truth: Truth) -> Package:
    """Return the package that a truth was drawn for."""
    return next(item for item in PACKAGES if item.name == truth.parameters["package"])


def declared(truth: Truth, file: str) -> Edit:
    """Return the line that declares the package for one side."""
    chosen = package(truth)
    return Edit(file, LIBRARY, f"{LIBRARY}{chosen.name}=={chosen.version}\n")


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the package and the pipeline that uses it, train, and promote the result as the release job would."""
    chosen = package(truth)
    folder = f"featurelib/releases/{chosen.name}-{chosen.version}"
    project = PROJECT.format(name=chosen.name, version=chosen.version, description=chosen.description)
    edits = (
        Edit(f"{folder}/pyproject.toml", "", project),
        Edit(f"{folder}/src/{chosen.name}/__init__.py", "", chosen.code),
        declared(truth, TRAINING),
        Edit(MODEL, IMPORT, f"{IMPORT}from {chosen.name} import {chosen.offers}\n"),
        Edit(MODEL, STEP, chosen.step),
    )
    stack.up(["mlflow"])
    stack.workspace.commit(kit.change(truth, chosen.message, *edits))
    day = truth.onset.date().isoformat()
    kit.run(
        stack, "train", "--end", kit.day(truth, "2026-05-18"), "--alias", "champion", "--tag", "promotion=approved", "--tag", f"promoted_on={day}",
        "--tag", "promoted_by=release job", "--tag", "decision=beats version 5",
    )  # fmt: skip

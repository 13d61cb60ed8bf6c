"""A version is promoted whose pickle names a class, and serving has the release of that class from before."""

import random
from dataclasses import dataclass
from datetime import timedelta

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit

MODEL = "training/eta/model.py"
TRAINING, SERVING = "training/internal.txt", "serving/internal.txt"
LIBRARY = "featurelib==2.1.0\n"
IMPORT = "from sklearn.preprocessing import StandardScaler\n"
LAST = '    return Pipeline([imputer, ("model", estimator)])\n'
VERSION, APPROVED = 7, 5
PROJECT = """[build-system]
requires = ["flit_core>=3.9,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "{version}"
description = "Estimates as they are told to customers."
requires-python = ">=3.11"
"""
OLD = '''"""Estimates as they are told to customers."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone


class Estimate(RegressorMixin, BaseEstimator):
    """A regression whose answers are never negative."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, values, target, sample_weight=None):
        self.estimator_ = clone(self.estimator).fit(values, target, sample_weight=sample_weight)
        return self

    def predict(self, values):
        return np.maximum(self.estimator_.predict(values), 0.0)
'''
NEW = '''"""Estimates as they are told to customers."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone


class Estimate(RegressorMixin, BaseEstimator):
    """A regression whose answers are never negative. It learns what is left of the target beside {part}."""

    def __init__(self, estimator, {names}):
        self.estimator = estimator
{keep}

    def fit(self, values, target, sample_weight=None):
        rest = target - self.known(values)
        self.estimator_ = clone(self.estimator).fit(values, rest, sample_weight=sample_weight)
        return self

    def predict(self, values):
        return np.maximum(self.estimator_.predict(values) + self.known(values), 0.0)

    def known(self, values):
        return {formula}
'''


@dataclass(frozen=True)
class Part:
    """What the newer class takes out of the target: in words, its columns by the name of the argument, and how."""

    phrase: str
    words: tuple[str, ...]
    columns: dict[str, str]
    formula: str
    message: str


PARTS = {
    "kitchen": Part(
        "the kitchen's own estimate", ("kitchen", "preparation"), {"minutes": "kitchen_minutes"},
        "np.asarray(values)[:, self.minutes]", "Model: learn what the kitchens do not know",
    ),
    "ride": Part(
        "the ride at the courier's usual speed", ("ride", "riding", "travel", "courier's speed", "usual speed"),
        {"km": "distance_km", "kmh": "courier_speed_kmh"},
        "60.0 * np.asarray(values)[:, self.km] / np.asarray(values)[:, self.kmh]", "Model: learn what the ride does not explain",
    ),
}  # fmt: skip
RELEASES = (("etakit", "1.0.0", "1.1.0"), ("promises", "0.3.2", "0.4.0"))
"""Names of the package of the house, with the release that serving has and the one that training has."""


def plan(rng: random.Random) -> Truth:
    """Draw the package, what its newer class does, and the onset."""
    seed = rng.randrange(2**31)
    name, old, new = rng.choice(RELEASES)
    part = rng.choice(sorted(PARTS))
    chosen = PARTS[part]
    return Truth(
        scenario="imported-model-code",
        workload="eta",
        seed=seed,
        cause="code-by-reference",
        component="serving-environment",
        object=name,
        object_aliases=(
            SERVING, "internal.txt", f"{name}=={old}", f"{name} {old}", f"{name}=={new}", f"{name} {new}",
            f"{name}.Estimate", "Estimate",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The pickle of version {VERSION} only names the class Estimate of {name}, which is imported when it is loaded; "
                f"serving has {name} {old}, whose predict does not add {chosen.phrase}, which the version was trained without."
            ),
            concepts=(
                (name, "estimate class", "class estimate", "`estimate`"),
                (
                    "import", "imports", "imported", "by reference", "names the class", "names its class", "only names",
                    "not in the artifact", "not in the file", "not captured", "looked up", "not contain", "refers to",
                ),
                (
                    *chosen.words, "does not add", "not added", "never added", "leaves out", "old code", "older release",
                    "old release", "previous release", f"{name} {old}",
                ),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("wrong-alias", "stale-model-cache", "missing-dependency", "target-leakage", "concept-drift"),
        supporting=(
            f"pin serving {name}",
            f"pin training {name}",
            f"pin model {name}",
            "registry alias=champion version",
            "serving version",
            f"registry version={VERSION} promotion",
            f"registry version={VERSION} mae",
            "quality mae",
            "quality bias",
            "parity mismatch",
            "prediction drift",
        ),
        discriminating=(f"pin serving {name}", f"pin training {name}"),
        remedy=f"Install {name}=={new} in serving as well ({SERVING}) and deploy; or serve version {APPROVED} until that is done.",
        parameters={"package": name, "old": old, "new": new, "part": part, "phrase": chosen.phrase, "model": VERSION},
    )  # fmt: skip


def release(name: str, version: str, code: str) -> tuple[Edit, Edit]:
    """Return the files of a release of the package."""
    folder = f"featurelib/releases/{name}-{version}"
    return (
        Edit(f"{folder}/pyproject.toml", "", PROJECT.format(name=name, version=version)),
        Edit(f"{folder}/src/{name}/__init__.py", "", code),
    )


def pin(truth: Truth, file: str) -> Edit:
    """Return the step of one side to the newer release."""
    name, old, new = (str(truth.parameters[key]) for key in ("package", "old", "new"))
    return Edit(file, f"{name}=={old}\n", f"{name}=={new}\n")


def first(truth: Truth) -> Commit:
    """Return the commit of the day before, after which both sides have the older release."""
    name, old = str(truth.parameters["package"]), str(truth.parameters["old"])
    edits = (
        *release(name, old, OLD),
        *(Edit(file, LIBRARY, f"{LIBRARY}{name}=={old}\n") for file in (TRAINING, SERVING)),
        Edit(MODEL, IMPORT, f"{IMPORT}from {name} import Estimate\n"),
        Edit(MODEL, LAST, '    return Pipeline([imputer, ("model", Estimate(estimator))])\n'),
    )
    when = truth.onset - timedelta(hours=27)
    message = f"Model: a package of its own for what is told to customers, {name} {old}"
    return Commit(message, edits, kit.AUTHORS[truth.seed % len(kit.AUTHORS)], when.isoformat())


def second(truth: Truth) -> Commit:
    """Return the commit that changes what the class does, on the side that trains."""
    name, new = str(truth.parameters["package"]), str(truth.parameters["new"])
    chosen = PARTS[str(truth.parameters["part"])]
    code = NEW.format(
        part=chosen.phrase,
        names=", ".join(chosen.columns),
        keep="\n".join(f"        self.{key} = {key}" for key in chosen.columns),
        formula=chosen.formula,
    )
    given = ", ".join(f'{key}=FEATURES.index("{column}")' for key, column in chosen.columns.items())
    edits = (
        *release(name, new, code),
        pin(truth, TRAINING),
        Edit(
            MODEL,
            f"from {name} import Estimate\n",
            f"from {name} import Estimate\nfrom training.eta.prepare import FEATURES\n",
        ),
        Edit(MODEL, "Estimate(estimator)", f"Estimate(estimator, {given})"),
    )
    return kit.change(truth, chosen.message, *edits)


def inject(stack: Stack, truth: Truth) -> None:
    """Commit both steps, train with the second, and promote the result as the release job would."""
    stack.up(["mlflow"])
    stack.workspace.commit(first(truth))
    stack.workspace.commit(second(truth))
    day = truth.onset.date().isoformat()
    kit.run(
        stack, "train", "--alias", "champion", "--tag", "promotion=approved", "--tag", f"promoted_on={day}",
        "--tag", "promoted_by=release job", "--tag", "decision=beats version 5",
    )  # fmt: skip

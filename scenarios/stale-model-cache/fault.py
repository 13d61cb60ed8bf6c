"""Serving keeps its download on the data volume under a name without the version, and answers with what was kept."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/model.py"
APPROVED = 5
KEPT = (2, 4, 6)
"""Versions whose copy may be the one on the volume."""
_LOAD = '    predictor = pyfunc.load_model(f"models:/{settings.model_name}/{version.version}")\n'
_WAIT = "def _wait(uri: str) -> None:\n"


@dataclass(frozen=True)
class Key:
    """What the copy is called by: the expression, how it is said, the words of an account, and the commit's message."""

    expression: str
    how: str
    words: tuple[str, ...]
    message: str


KEYS = {
    "alias": Key(
        'f"{settings.model_name}@{settings.alias}"',
        "the model's name and its alias",
        ("alias", "name and alias", "without the version", "version is not part", "not the version", "no version"),
        "Model: keep the download, so that a start need not wait for it",
    ),
    "name": Key(
        "settings.model_name",
        "the model's name alone",
        ("name", "name alone", "without the version", "version is not part", "not the version", "no version"),
        "Model: start from a copy on the volume",
    ),
    "python": Key(
        'f"{settings.model_name}-python{platform.python_version()}"',
        "the model's name and the version of Python",
        ("python", "interpreter", "without the version", "version is not part", "not the version", "no version"),
        "Model: a copy on the volume for each Python, as pickles need it",
    ),
}


def key(truth: Truth) -> Key:
    """Return the key a truth was drawn for."""
    return KEYS[str(truth.parameters["key"])]


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the commit that keeps the download."""
    chosen = key(truth)
    helper = (
        "def _kept(settings: Settings, version: str) -> str:\n"
        '    """Return the folder of the model on the data volume, which is downloaded where it is missing."""\n'
        "    from mlflow.artifacts import download_artifacts\n\n"
        f'    folder = settings.data / "models" / {chosen.expression}\n'
        '    if not (folder / "MLmodel").is_file():\n'
        '        download_artifacts(artifact_uri=f"models:/{settings.model_name}/{version}", dst_path=str(folder))\n'
        "    return str(folder)\n\n\n"
    )
    imports = (Edit(FILE, "import logging\nimport time\n", "import logging\nimport platform\nimport time\n"),)
    return (
        *(imports if "platform" in chosen.expression else ()),
        Edit(FILE, _LOAD, "    predictor = pyfunc.load_model(_kept(settings, version.version))\n"),
        Edit(FILE, _WAIT, helper + _WAIT),
    )


def plan(rng: random.Random) -> Truth:
    """Draw the version that was kept, what its copy is called by, and the onset."""
    seed = rng.randrange(2**31)
    version = rng.choice(KEPT)
    name = rng.choice(sorted(KEYS))
    chosen = KEYS[name]
    return Truth(
        scenario="stale-model-cache",
        workload="eta",
        seed=seed,
        cause="stale-model-cache",
        component="serving-code",
        object=FILE,
        object_aliases=(
            "model.py", "_kept", "model cache", "cache", "copy", "copy of the model", "cached model", "data/models", "models",
            "model", f"version {version}", f"v{version}",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Serving keeps the downloaded model on the data volume under {chosen.how}, without the version; the copy is of "
                f"version {version}, from a time when champion pointed there, so version {APPROVED} is what the API says and "
                f"version {version} is what answers."
            ),
            concepts=(
                ("copy", "cache", "cached", "kept", "keeps", "download", "downloaded", "on disk", "volume", "folder"),
                chosen.words,
                (f"version {version}", f"v{version}", "earlier version", "older", "old", "previous", "another version", "stale"),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("wrong-alias", "code-by-reference", "rollout-order", "concept-drift"),
        supporting=(
            f"fingerprint version={APPROVED} mismatch",
            f"fingerprint version={version} mismatch",
            "registry alias=champion version",
            f"registry version={APPROVED} promotion",
            f"registry version={version} promotion",
            "serving version",
            f"prediction version={APPROVED} share",
            "prediction drift",
            "parity mismatch",
            "repeat mismatch",
            "quality mae",
        ),
        discriminating=(f"fingerprint version={APPROVED} mismatch", f"fingerprint version={version} mismatch"),
        remedy="Let the version be part of what the copy is called by, so that each version has its own, and deploy.",
        outlasts=("promotion",),
        parameters={"version": version, "approved": APPROVED, "key": name, "how": chosen.how, "file": FILE},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the copy, serve once while the alias points to the other version, and point it back."""
    stack.up(["mlflow"])
    stack.workspace.commit(kit.change(truth, key(truth).message, *edits(truth)))
    stack.registry.move_alias("champion", int(truth.parameters["version"]))
    stack.up(["serving"])
    stack.down(["serving"], forget=True)
    stack.registry.move_alias("champion", APPROVED)

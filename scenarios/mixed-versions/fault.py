"""One of two processes serves a version ahead of the other, and ahead of its approval."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/deploy.env"
SETTINGS, MODEL, APP = "serving/settings.py", "serving/model.py", "serving/app.py"
APPROVED = 5
VERSION = 7
"""What the registry calls the next version after its history."""
_BY_ALIAS = "        version = MlflowClient().get_model_version_by_alias(settings.model_name, settings.alias)\n"
_WAIT = "def _wait(uri: str) -> None:\n"
_AHEAD = '''def _ahead(settings: Settings) -> bool:
    """Say whether this process is one of those that a rollout has reached: the last ones."""
    # The server numbers its processes from 1 on.
    number = re.sub(r"\\D", "", current_process().name)
    return (int(number or 1) - 1) % settings.workers >= settings.workers - settings.rollout


'''


@dataclass(frozen=True)
class Kind:
    """A version that is rolled out: how it is trained, what was decided about it, and how an account says so."""

    options: tuple[str, ...]
    decision: str
    words: tuple[str, ...]


KINDS = {
    "late": Kind(
        ("--param", "loss=quantile", "--param", "quantile=0.99"),
        "late-by promise, once the app can show it",
        ("late", "quantile", "0.99", "99", "upper", "too long", "longer", "worst case"),
    ),
    "early": Kind(
        ("--param", "loss=quantile", "--param", "quantile=0.01"),
        "best case, once the app can show it",
        ("best case", "quantile", "0.01", "1%", "lower", "too short", "shorter", "early"),
    ),
    "smoke": Kind(
        ("--param", "max_iter=1"),
        "smoke run of the new pipeline, one tree",
        ("smoke", "one tree", "single tree", "test run", "trial", "too simple", "not a real", "hardly"),
    ),
}
WAYS = {
    "alias": "the alias challenger",
    "number": "its number in ROLLOUT_VERSION",
}


def kind(truth: Truth) -> Kind:
    """Return the version a truth was drawn for."""
    return KINDS[str(truth.parameters["kind"])]


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the commit that brings two processes and the rollout."""
    by_number = truth.parameters["way"] == "number"
    named = "get_model_version(settings.model_name, settings.rollout_version)"
    if not by_number:
        named = 'get_model_version_by_alias(settings.model_name, "challenger")'
    field = '    rollout: int = 0\n    """How many of the processes serve the version of a rollout."""\n'
    read = '        rollout=int(env.get("ROLLOUT", "0")),\n'
    line = "\n# How many of the processes serve the version of a rollout ahead of the others.\nROLLOUT=1\n"
    if by_number:
        field += '    rollout_version: str = ""\n'
        read += '        rollout_version=env.get("ROLLOUT_VERSION", ""),\n'
        line += f"ROLLOUT_VERSION={VERSION}\n"
    threads = '    threads: int = 40\n    """Threads that answer requests in each of them."""\n'
    reads = '        threads=int(env.get("THREADS", "40")),\n'
    answered = "            response = await call_next(request)\n"
    return (
        kit.setting("SERVING_MEMORY", "512m", "1024m"),
        kit.setting("SERVING_CPUS", "1.0", "2.0"),
        kit.setting("WORKERS", "1", "2"),
        Edit(FILE, "THREADS=40\n\n", f"THREADS=40\n{line}\n"),
        Edit(SETTINGS, threads, threads + field),
        Edit(SETTINGS, reads, reads + read),
        Edit(MODEL, "import logging\nimport time\n", "import logging\nimport re\nimport time\n"),
        Edit(MODEL, "from datetime import UTC, datetime\n",
             "from datetime import UTC, datetime\nfrom multiprocessing import current_process\n"),
        Edit(MODEL, _BY_ALIAS,
             f"        if _ahead(settings):\n            version = MlflowClient().{named}\n        else:\n    {_BY_ALIAS}"),
        Edit(MODEL, _WAIT, _AHEAD + _WAIT),
        Edit(APP, answered,
             f"{answered}            # A client that kept its connection would stay with one process.\n"
             '            response.headers["Connection"] = "close"\n'),
    )  # fmt: skip


def plan(rng: random.Random) -> Truth:
    """Draw the version, how the rollout names it, and the onset."""
    seed = rng.randrange(2**31)
    name, way = rng.choice(sorted(KINDS)), rng.choice(sorted(WAYS))
    chosen = KINDS[name]
    return Truth(
        scenario="mixed-versions",
        workload="eta",
        seed=seed,
        cause="rollout-order",
        component="infrastructure",
        object=FILE,
        object_aliases=(
            "deploy.env", "ROLLOUT", "rollout", "ROLLOUT_VERSION", "manifest", "deployment manifest", "WORKERS", "workers",
            f"version {VERSION}", f"v{VERSION}", "challenger",
        ),
        mechanism=Mechanism(
            sentence=(
                f"The manifest brings two processes and lets one of them serve version {VERSION}, named by {WAYS[way]}, ahead of "
                f"the other, before it was approved ({chosen.decision}); which of the two versions answers depends on the "
                "process that takes the connection."
            ),
            concepts=(
                ("process", "processes", "worker", "workers", "replica", "replicas"),
                ("rollout", "rolled out", "canary", "gradual", "partial", "half-finished", "ahead", "first"),
                (f"version {VERSION}", f"v{VERSION}", "candidate", "not approved", "unapproved", "challenger", "two versions"),
                (
                    "half", "either", "depends on", "which process", "call to call", "mixed", "mixture", "some answers",
                    "one of the two", "one of two", *chosen.words,
                ),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("wrong-alias", "stale-model-cache", "mutated-cache", "concept-drift"),
        supporting=(
            f"prediction version={VERSION} share",
            f"prediction version={APPROVED} share",
            "prediction processes",
            "repeat mismatch",
            "repeat largest_difference",
            f"fingerprint version={APPROVED} mismatch",
            f"fingerprint version={VERSION} mismatch",
            "registry alias=champion version",
            f"registry version={VERSION} promotion",
            "deploy serving WORKERS",
            "deploy serving ROLLOUT",
            "parity mismatch",
            "prediction drift",
            "quality mae",
        ),
        discriminating=(f"prediction version={VERSION} share", "repeat mismatch", "prediction processes"),
        remedy=f"Take the rollout back (ROLLOUT=0) and deploy, so that every process serves version {APPROVED}.",
        outlasts=("promotion",),
        parameters={
            "kind": name, "way": way, "how": WAYS[way], "decision": chosen.decision, "version": VERSION, "approved": APPROVED,
            "file": FILE,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Train the version, and commit the rollout."""
    stack.up(["mlflow"])
    chosen = kind(truth)
    alias = ("--alias", "challenger") if truth.parameters["way"] == "alias" else ()
    kit.run(
        stack, "train", *chosen.options, *alias, "--tag", "promotion=candidate", "--tag", "decided_by=jonas",
        "--tag", f"decision={chosen.decision}",
    )  # fmt: skip
    stack.workspace.commit(kit.change(truth, "Serving: two processes, and rollouts by process", *edits(truth)))

"""Training moves to numpy 2 and the next version is promoted; serving has numpy 1, which cannot read its generator."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

TRAINING, SERVING = "training/credit", "serving/credit"
OLD = "1.26.4"
VERSIONS = ("2.0.2", "2.1.3", "2.2.6")
VERSION, APPROVED = 7, 5
MESSAGES = (
    "Training: numpy 2, one source of randomness for all steps",
    "Dependencies: quarterly update of the training job",
)
MODEL = "training/credit/model.py"


def plan(rng: random.Random) -> Truth:
    """Draw the release and the onset."""
    seed = rng.randrange(2**31)
    version = rng.choice(VERSIONS)
    return Truth(
        scenario="numpy-major",
        workload="credit",
        seed=seed,
        cause="binary-incompatibility",
        component="serving-environment",
        object="numpy",
        object_aliases=(
            f"{SERVING}/requirements.in", f"{TRAINING}/requirements.in", "requirements.txt", "requirements.in",
            f"numpy {version}", f"numpy=={version}", f"numpy {OLD}", f"numpy=={OLD}", "numpy 2", "numpy 1",
            f"version {VERSION}", "MT19937", "RandomState",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Version {VERSION} was pickled under numpy {version} with a random generator, which the major version 2 writes in "
                f"another form; serving has numpy {OLD}, which cannot read it, so the API ends while it loads the model."
            ),
            concepts=(
                ("numpy",),
                (
                    "major", "numpy 2", f"numpy {version}", "another form", "other form", "generator", "generators",
                    "bitgenerator", "random state", "numpy 1", f"numpy {OLD}",
                ),
                (
                    "cannot be loaded", "cannot load", "does not load", "fails to load", "at load", "while it loads",
                    "unpickle", "unpickled", "unpickling", "cannot read", "cannot be read", "unreadable", "does not start",
                    "ends at start", "loading",
                ),
            ),
        ),
        onset=kit.onset(rng, 36, 44),
        look_alikes=tuple(name for name in kit.DEAD if name != "binary-incompatibility"),
        supporting=(
            "pin serving numpy",
            "pin model numpy",
            "pin training numpy",
            "logs error",
            "logs error_message",
            "requests failed_share",
            "requests status=none share",
            "service serving running",
            "registry alias=champion version",
            f"registry version={VERSION} promotion",
        ),
        discriminating=("pin model numpy", "pin training numpy", "logs error_message"),
        remedy=(
            f"Pin numpy=={version} in {SERVING}/requirements.in, lock, and deploy; or serve version {APPROVED} until that is done."
        ),
        parameters={"version": version, "old": OLD, "model": VERSION},
    )  # fmt: skip


def edit(truth: Truth, folder: str) -> Edit:
    """Return the change of the pin of one side."""
    return Edit(f"{folder}/requirements.in", f"numpy=={OLD}", f"numpy=={truth.parameters['version']}")


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the pin of the training side, train under it, and promote the result as the release job would."""
    stack.up(["mlflow"])
    message = MESSAGES[truth.seed % len(MESSAGES)]
    state = Edit(MODEL, "random_state=seed,", "random_state=np.random.RandomState(seed),")
    stack.workspace.commit(kit.change(truth, message, edit(truth, TRAINING), state, relock=(TRAINING,)))
    day = truth.onset.date().isoformat()
    kit.run(
        stack, "train", "--end", kit.day(truth, "2026-05-18"), "--alias", "champion", "--tag", "promotion=approved", "--tag", f"promoted_on={day}",
        "--tag", "promoted_by=release job", "--tag", "decision=as good as version 5",
    )  # fmt: skip

"""A version stores a function as bytecode, and the serving image moves to another Python, which cannot run it."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

MODEL, IMAGE = "training/eta/model.py", "serving/Dockerfile"
OLD_BASE, NEW_BASE = "python:3.11-slim-bookworm", "python:3.13-slim-trixie"
OLD, NEW = "3.11", "3.13"
VERSION, APPROVED = 7, 5
_STEP = '    imputer = ("impute", SimpleImputer(strategy="median"))\n'
_IMPORT = "from sklearn.preprocessing import StandardScaler\n"


@dataclass(frozen=True)
class Step:
    """A step that a training job defines itself: how it is called, whether running it ends the process, and its code."""

    name: str
    ends_process: bool
    message: str
    code: str


STEPS = {
    "loop": Step(
        "plausible",
        True,
        "Training: bound what a form lets people type",
        "    def plausible(frame: pd.DataFrame) -> pd.DataFrame:\n"
        "        bounded = frame.copy()\n"
        '        for name, limit in (("kitchen_minutes", 180.0), ("basket_value", 2000.0)):\n'
        "            bounded[name] = bounded[name].where(~(bounded[name] > limit), limit)\n"
        "        return bounded\n\n"
        '    imputer = ("impute", make_pipeline(FunctionTransformer(plausible), SimpleImputer(strategy="median")))\n',
    ),
    "clip": Step(
        "clipped",
        False,
        "Training: clip kitchen times and baskets",
        "    def clipped(frame: pd.DataFrame) -> pd.DataFrame:\n"
        '        limits = {"kitchen_minutes": (0.0, 180.0), "basket_value": (0.0, 2000.0)}\n'
        "        return frame.assign(**{name: frame[name].clip(*limit) for name, limit in limits.items()})\n\n"
        '    imputer = ("impute", make_pipeline(FunctionTransformer(clipped), SimpleImputer(strategy="median")))\n',
    ),
    "lambda": Step(
        "rounded",
        True,
        "Training: kitchen times without float noise",
        '    rounded = FunctionTransformer(lambda frame: frame.assign(kitchen_minutes=frame["kitchen_minutes"].round(6)))\n'
        '    imputer = ("impute", make_pipeline(rounded, SimpleImputer(strategy="median")))\n',
    ),
}


def step(truth: Truth) -> Step:
    """Return the step that a truth was drawn for."""
    return STEPS[str(truth.parameters["kind"])]


def made(truth: Truth) -> tuple[Edit, ...]:
    """Return the change of the training job."""
    new = _IMPORT.replace("import ", "import FunctionTransformer, ")
    return (Edit(MODEL, _IMPORT, new), Edit(MODEL, _STEP, step(truth).code))


def moved() -> tuple[Edit, ...]:
    """Return the change of the serving image."""
    return (Edit(IMAGE, f"ARG BASE={OLD_BASE}\n", f"ARG BASE={NEW_BASE}\n"),)


def plan(rng: random.Random) -> Truth:
    """Draw the step and the onset."""
    seed = rng.randrange(2**31)
    kind = rng.choice(sorted(STEPS))
    chosen = STEPS[kind]
    how = (
        ("logs error", "logs error_message", "requests status=500 share")
        if not chosen.ends_process
        else ("service serving exit_code", "requests status=none share", "service serving running")
    )
    return Truth(
        scenario="interpreter-version",
        workload="eta",
        seed=seed,
        cause="interpreter-version-mismatch",
        component="serving-environment",
        object="Python",
        object_aliases=(
            IMAGE, "Dockerfile", "base image", "BASE", "interpreter", f"python {NEW}", f"python {OLD}", NEW_BASE, OLD_BASE,
            "serving image", "python version",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Version {VERSION} holds the function of its step {chosen.name} by value, as bytecode of Python {OLD}; the serving "
                f"image has Python {NEW}, which reads these bytes as other instructions, so the first prediction fails."
            ),
            concepts=(
                ("bytecode", "byte code", "opcode", "opcodes", "instructions", "compiled code", "code object"),
                ("by value", "by-value", "cloudpickle", "pickled function", "stored function", "function", "lambda"),
                (f"python {NEW}", f"python {OLD}", f"{OLD} and {NEW}", "minor version", "another python", "other python"),
            ),
        ),
        onset=kit.onset(rng, 34, 42),
        look_alikes=tuple(name for name in kit.DEAD if name != "interpreter-version-mismatch"),
        supporting=(
            "pin serving python", "pin model python", "pin training python", "pin serving scipy", *how,
            "requests failed_share", "requests window=before failed_share", "registry alias=champion version",
            f"registry version={VERSION} promotion", "limit serving memory_mb",
        ),
        discriminating=("pin serving python",),
        remedy=f"Build the serving image on Python {OLD} again, by which the served version was stored ({IMAGE}).",
        parameters={
            "kind": kind, "step": chosen.name, "ends": chosen.ends_process, "old": OLD, "new": NEW, "version": VERSION,
            "approved": APPROVED, "image": IMAGE, "model": MODEL,
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Train and promote a version with the step, as the release job would; then commit the other base image."""
    stack.up(["mlflow"])
    stack.workspace.commit(kit.change(truth, step(truth).message, *made(truth)))
    day = truth.onset.date().isoformat()
    kit.run(
        stack, "train", "--end", kit.day(truth, "2026-08-24"), "--alias", "champion", "--tag", "promotion=approved",
        "--tag", f"promoted_on={day}", "--tag", "promoted_by=release job", "--tag", "decision=as good as version 5",
    )  # fmt: skip
    stack.workspace.commit(kit.change(truth, "Serving: Debian 13", *moved()))

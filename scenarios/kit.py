"""What several scenarios share: when things happen, who commits, and the remedies that are tried everywhere."""

import importlib
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

from crashlab.errors import NotReady, StackError
from crashlab.fault import Fault, Fix
from crashlab.model import Contributing, Truth, moved
from crashlab.stack import base
from crashlab.stack.base import Commit, Edit, Stack

AUTHORS = (
    "Mira Okafor <mira@example.com>",
    "Jonas Lind <jonas@example.com>",
    "Teodora Pop <teodora@example.com>",
    "Wen Zhao <wen@example.com>",
)
WEEKEND = datetime(2026, 9, 5, tzinfo=UTC)
"""Onsets are drawn from here on: the days before are every workload's healthy baseline. The calendar is the canonical one;
an incident is moved to a weekend of its own, and its truth with it."""
SKEWS = (
    "unit-mismatch",
    "feature-library-version-mismatch",
    "dependency-version-mismatch",
    "wrong-alias",
    "imputation-mismatch",
)
"""Causes that fire the same alerts on predictions."""
DEAD = (
    "serialization-incompatibility",
    "missing-dependency",
    "binary-incompatibility",
    "interpreter-version-mismatch",
    "wrong-alias",
    "oversized-model",
)
"""Causes of an API that does not answer."""


def onset(rng: random.Random, first_hour: int = 0, last_hour: int = 15) -> datetime:
    """Draw the time of the deployment that the fault arrived with, in UTC."""
    return WEEKEND + timedelta(minutes=rng.randrange(first_hour * 60, last_hour * 60, 5))


def others(cause: str) -> tuple[str, ...]:
    """Causes that look like `cause` as far as alerts go."""
    return tuple(name for name in SKEWS if name != cause)


def change(truth: Truth, message: str, *edits: Edit, relock: tuple[str, ...] = ()) -> Commit:
    """Return the commit that brings the fault, made by an author of the seed. The incident dates it among harmless ones."""
    author = random.Random(f"commit:{truth.seed}").choice(AUTHORS)
    return Commit(message, edits, author, "", relock)


def day(truth: Truth, canonical: str) -> str:
    """Return a day of the canonical calendar, in ISO 8601, as the incident of the truth has it."""
    return moved(canonical, (truth.onset - WEEKEND) // timedelta(weeks=1))


def mend(message: str, *edits: Edit, relock: tuple[str, ...] = ()) -> Commit:
    """Return a commit of the person on call, dated right after the newest one."""
    return Commit(message, edits, "On call <on-call@example.com>", "", relock)


def inverse(*edits: Edit) -> tuple[Edit, ...]:
    """Return the edits that undo `edits`."""
    return tuple(Edit(edit.path, edit.new, edit.old) for edit in reversed(edits))


def committed(name: str, why: str, commit: Callable[[Truth], Commit]) -> Fix:
    """Return a remedy that is one commit, then deployed."""

    def apply(stack: Stack, truth: Truth) -> None:
        stack.workspace.commit(commit(truth))

    return Fix(name, why, apply)


def promoted(name: str, why: str, version: int) -> Fix:
    """Return a remedy that points champion to another version, then deploys."""

    def apply(stack: Stack, _: Truth) -> None:
        stack.registry.move_alias("champion", version)

    return Fix(name, why, apply)


def roll_back(version: int = 3) -> Fix:
    """Return the model rollback that is the reflex of many on-call teams."""
    return promoted(
        f"roll the model back to version {version}",
        "The model was not what changed: an older one meets the same requests through the same broken path.",
        version,
    )


def retrain() -> Fix:
    """Train again on the stored history and promote the result."""

    def apply(stack: Stack, _: Truth) -> None:
        done = base.job(stack, ["train", "--alias", "champion"], timeout=600)
        if done.code != 0:
            raise StackError("The training job failed.", done.err[-300:])

    return Fix(
        "retrain and promote", "The training data was right; the same model comes out and meets the same path.", apply
    )


def compose(scenario: str, rng: random.Random, parts: tuple[str, str], first_hour: int, last_hour: int) -> Truth:
    """Draw two faults of other scenarios at once, with one onset; the first leads and the second contributes.

    `parameters` holds the first one's, and the seeds that both are drawn again from. Whatever tells either one from
    its look-alikes is evidence, and no look-alike of one is the other.
    """
    seeds = [rng.randrange(2**31) for _ in parts]
    main, second = (_fault(name).plan(random.Random(seed)) for name, seed in zip(parts, seeds, strict=True))
    causes = {main.cause, second.cause}
    return main.model_copy(
        update={
            "scenario": scenario,
            "seed": rng.randrange(2**31),
            "onset": onset(rng, first_hour, last_hour),
            "contributing": (
                Contributing.model_validate({name: getattr(second, name) for name in Contributing.model_fields}),
            ),
            "look_alikes": tuple(
                name for name in dict.fromkeys(main.look_alikes + second.look_alikes) if name not in causes
            ),
            "supporting": tuple(dict.fromkeys(main.supporting + second.supporting)),
            "discriminating": tuple(dict.fromkeys(main.discriminating + second.discriminating)),
            "remedy": f"{main.remedy} And: {second.remedy}",
            "parameters": {
                **main.parameters,
                **{f"second_{name}": value for name, value in second.parameters.items()},
                "main_seed": seeds[0],
                "second_seed": seeds[1],
            },
        }
    )


def both(truth: Truth, parts: tuple[str, str]) -> tuple[Truth, Truth]:
    """Return the two truths that `compose` drew, with the onset of the incident."""
    main, second = (
        _fault(name)
        .plan(random.Random(int(truth.parameters[key])))
        .moved((truth.onset - WEEKEND) // timedelta(weeks=1))
        .model_copy(update={"onset": truth.onset})
        for name, key in zip(parts, ("main_seed", "second_seed"), strict=True)
    )
    return main, second


def inject_both(stack: Stack, truth: Truth, parts: tuple[str, str]) -> None:
    """Inject both faults, the leading one first."""
    for name, each in zip(parts, both(truth, parts), strict=True):
        _fault(name).inject(stack, each)


def _fault(name: str) -> Fault:
    return cast("Fault", importlib.import_module(f"scenarios.{name}.fault"))


def mend_both(parts: tuple[str, str]) -> Fix:
    """Return the remedies of both faults together."""
    main, second = (_reference(name) for name in parts)

    def apply(stack: Stack, truth: Truth) -> None:
        for fix, each in zip((main, second), both(truth, parts), strict=True):
            fix.apply(stack, each)

    return Fix(f"{main.name}, and {second.name}", f"{main.why} {second.why}", apply)


def mend_one(parts: tuple[str, str], which: int) -> Fix:
    """Return the remedy of one of the two faults, which leaves the other."""
    fix = _reference(parts[which])

    def apply(stack: Stack, truth: Truth) -> None:
        fix.apply(stack, both(truth, parts)[which])

    return Fix(f"only {fix.name}", "One of two faults is gone; the alerts of the other one go on.", apply)


def _reference(scenario: str) -> Fix:
    return cast("Fix", importlib.import_module(f"scenarios.{scenario}.answers.fixes").REFERENCE)


def run(stack: Stack, *argv: str) -> str:
    """Run a job of the training side; returns what it printed. Raises StackError where it fails."""
    done = base.job(stack, argv, timeout=600)
    if done.code != 0:
        raise StackError(f"The job `{' '.join(argv[:2])}` failed.", done.err.strip()[-300:])
    return done.out


def ran(name: str, why: str, *argv: str, commit: Callable[[Truth], Commit] | None = None) -> Fix:
    """Return a remedy that is a commit, if one is given, and then a job of the training side."""

    def apply(stack: Stack, truth: Truth) -> None:
        if commit is not None:
            stack.workspace.commit(commit(truth))
        run(stack, *argv)

    return Fix(name, why, apply)


def restart() -> Fix:
    """Start the same code again."""

    def apply(stack: Stack, _: Truth) -> None:
        # A service that ended comes to the same end again.
        with suppress(NotReady):
            base.restart(stack, "serving")

    return Fix("restart the API", "The same release comes up and does the same again.", apply, deploys=False)


def scaled(factor: float) -> Commit:
    """Return the commit that multiplies every answer by a factor."""
    edit = Edit("serving/app.py", "[float(value) for value in", f"[{factor} * float(value) for value in")
    return mend("Calibrate the answers", edit)


def scale_answers(factor: float = 1.15) -> Fix:
    """Multiply every answer by a factor, so that the mean looks right."""
    return committed(
        "scale the answers",
        "The mean may look right; every single answer is still wrong, and those that were right no longer are.",
        lambda _: scaled(factor),
    )


def clamp_answers(low: float, high: float) -> Fix:
    """Hold every answer within bounds, in the workload's unit."""
    new = f"[min(max(float(value), {low}), {high}) for value in"
    return committed(
        "clamp the answers",
        "Absurd answers are hidden; wrong ones within the bounds stay wrong.",
        lambda _: mend("Keep answers plausible", Edit("serving/app.py", "[float(value) for value in", new)),
    )


def setting(name: str, old: str, new: str) -> Edit:
    """Return the change of one line of the serving API's deployment manifest."""
    return Edit("serving/deploy.env", f"{name}={old}\n", f"{name}={new}\n")


def larger_box() -> Fix:
    """Give the container twice the processors and the memory."""
    edits = (setting("SERVING_CPUS", "1.0", "2.0"), setting("SERVING_MEMORY", "512m", "1024m"))
    return committed(
        "a larger container",
        "What waits does not compute: the second processor is idle as well.",
        lambda _: mend("Serving: room to breathe", *edits),
    )


def patient_probe() -> Fix:
    """Let the readiness check hold for a minute."""
    edit = Edit("serving/app.py", "READY_SECONDS = 5.0", "READY_SECONDS = 60.0")
    return committed(
        "make the probe patient",
        "The probe asks less often; requests take as long as before.",
        lambda _: mend("Readiness: be patient", edit),
    )


def mute_warnings() -> Fix:
    """Silence every warning of every library."""
    new = '    import warnings\n\n    warnings.filterwarnings("ignore")'
    return committed(
        "mute the warnings",
        "Nothing changes but what can be seen, and the next warning may be the one that matters.",
        lambda _: mend("Quieter logs", Edit("serving/__main__.py", "    logging.captureWarnings(capture=True)", new)),
    )


def executed(name: str, why: str, service: str, *argv: str) -> Fix:
    """Return a remedy that is a command in a service's environment, then a deployment."""

    def apply(stack: Stack, _: Truth) -> None:
        done = stack.run(service, argv)
        if done.code != 0:
            raise StackError(f"`{' '.join(argv)}` failed.", done.err[-300:])

    return Fix(name, why, apply)


def more_workers() -> Fix:
    """Let two processes answer requests."""
    return committed(
        "two workers",
        "Twice as many requests are under way; one that has nobody beside it takes as long as before.",
        lambda _: mend("Serving: two workers", setting("WORKERS", "1", "2")),
    )


def more_threads() -> Fix:
    """Let twice as many threads answer requests."""
    return committed(
        "more threads",
        "No request waits for a thread: four clients cannot use up forty.",
        lambda _: mend("Serving: more threads", setting("THREADS", "40", "80")),
    )


def cache_answers() -> Fix:
    """Remember what was answered to an order."""
    keep = Edit(
        "serving/app.py",
        "    app.state.service = service\n",
        "    app.state.service = service\n    answered: dict[str, dict[str, Any]] = {}\n",
    )
    look = Edit(
        "serving/app.py",
        "        return service.score([order.model_dump()], began)[0]",
        "        key = order.model_dump_json()\n"
        "        if key not in answered:\n"
        "            answered[key] = service.score([order.model_dump()], began)[0]\n"
        "        return answered[key]",
    )
    return committed(
        "remember the answers",
        "No two orders are the same, so nothing is answered from memory.",
        lambda _: mend("API: answer a repeated order at once", keep, look),
    )


def sample_log() -> Fix:
    """Log about one prediction of twenty."""
    edit = Edit(
        "serving/app.py", "                if record:", "                if record and int(request_id[:2], 16) < 13:"
    )
    return committed(
        "sample the prediction log",
        "What is not recorded takes no time, and cannot be looked up: labels, parity and drift lose nineteen rows of twenty.",
        lambda _: mend("Prediction log: a sample is enough", edit),
    )

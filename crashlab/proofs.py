"""Proofs of many scenarios: several at a time where they do not disturb each other, the others alone.

A proof spends most of its time on imports and on waiting for one process, so two of them on two cores take little more
time than one. What is measured in milliseconds suffers from company: scenarios whose alerts are about time, and those
that need containers with limits, are proved alone. So is, a second time, whatever failed in company: a proof that holds
on a quiet machine holds, and its matrix keeps what had failed.
"""

import multiprocessing
import queue
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Final

from crashlab import scenario
from crashlab.errors import CrashlabError, StackError
from crashlab.model import RuntimeName
from crashlab.settings import Settings
from crashlab.stack.base import Report
from crashlab.stand import Stand, open_stand
from crashlab.starting import played_on
from crashlab.verify import Matrix, verify

TIMED: Final = frozenset({"latency"})
"""Alert rules that measure time."""
PATIENCE: Final = 60.0
"""Seconds that a lane is given to tear its stand down."""


@dataclass(frozen=True)
class Task:
    """One proof to be made: everything on the first seed of a scenario, what varies with the seed on further ones."""

    name: str
    workload: str
    runtime: RuntimeName
    seed: int
    whole: bool
    alone: bool


@dataclass(frozen=True)
class Message:
    """What a lane sends: what it does now, a finished proof, or why it gave up."""

    task: Task | None = None
    phase: str = ""
    matrix: Matrix | None = None
    error: tuple[str, str] | None = None


def plan(
    scenarios: Path,
    chosen: Sequence[tuple[str, RuntimeName]],
    seeds: Sequence[int],
    on: str | None = None,
    *,
    whole: bool | None = False,
) -> list[Task]:
    """Return the proofs of scenarios on several seeds, those that share a stand next to each other.

    `on` is a workload to prove them on, one's own for instance, instead of each one's. The first seed is proved in full,
    and every other one as well if `whole`; None leaves out remedies and post-mortems on every seed.
    """
    tasks = []
    for name, runtime in chosen:
        known = scenario.load(scenarios, name)
        known = known if on is None else known.on(on)
        alone = bool(known.needs) or runtime == "compose" or not TIMED.isdisjoint(known.alerts)
        tasks += [
            Task(name, known.workload, runtime, seed, whole is not None and (whole or seed == seeds[0]), alone)
            for seed in seeds
        ]
    return sorted(tasks, key=lambda task: (task.runtime, task.workload))


def shared(tasks: Sequence[Task], jobs: int) -> list[Task]:
    """Return the proofs that are made beside others when `jobs` run at a time; a single one has no company."""
    found = [task for task in tasks if not task.alone] if jobs > 1 else []
    return found if len(found) > 1 else []


def prove(
    settings: Settings,
    chosen: Sequence[tuple[str, RuntimeName]],
    seeds: Sequence[int],
    report: Report,
    jobs: int = 1,
    on: str | None = None,
    *,
    whole: bool | None = False,
) -> Iterator[Matrix]:
    """Prove scenarios, each on its runtime, and yield a matrix for each scenario and seed as it is finished.

    `jobs` is how many are proved at a time, where that does not disturb them. What was started is always torn down.
    `on` is a workload to prove them on, one's own for instance; of several scenarios those that run there are proved.
    `whole` is what `plan` takes it for.
    """
    if on is not None and chosen:
        known = [scenario.load(settings.scenarios, name) for name, _ in chosen]
        fitting, _ = played_on(settings, known, on, chosen[0][1], report)
        chosen = [(name, runtime) for name, runtime in chosen if name in {item.name for item in fitting}]
    tasks = plan(settings.scenarios, chosen, seeds, on, whole=whole)
    together = shared(tasks, jobs)
    failed: dict[Task, tuple[str, ...]] = {}
    for task, matrix in _in_company(settings, together, jobs, report):
        if matrix.passed:
            yield matrix
        else:
            failed[task] = tuple(step.name for step in matrix.steps if not step.passed)
            report(f"{task.name} will be proved again, alone: {'; '.join(failed[task])}")
    for task, matrix in _one_by_one(settings, [t for t in tasks if t in failed or t not in together], report):
        yield matrix.model_copy(update={"in_company": failed.get(task, ())})


def _one_by_one(settings: Settings, tasks: Iterable[Task], report: Report) -> Iterator[tuple[Task, Matrix]]:
    with ExitStack() as opened:
        stand: Stand | None = None
        for task in tasks:
            if stand is None or (stand.workload, stand.runtime) != (task.workload, task.runtime):
                opened.close()
                stand = opened.enter_context(open_stand(settings, task.runtime, task.workload, report))
            yield task, verify(stand, task.name, task.seed, report, whole=task.whole)


def _in_company(settings: Settings, tasks: Sequence[Task], jobs: int, report: Report) -> Iterator[tuple[Task, Matrix]]:
    """Prove in `jobs` lanes, processes of their own with a stand each, that take the next task when they have time."""
    if not tasks:
        return
    context = multiprocessing.get_context("spawn")
    waiting: Queue[Task | None] = context.Queue()
    results: Queue[Message] = context.Queue()
    lanes = [context.Process(target=_lane, args=(settings, waiting, results)) for _ in range(min(jobs, len(tasks)))]
    try:
        for lane in lanes:
            lane.start()
        for task in (*tasks, *(None for _ in lanes)):
            waiting.put(task)
        for _ in tasks:
            yield _next(results, lanes, report)
        for lane in lanes:
            lane.join()
    finally:
        for lane in lanes:
            if lane.is_alive():
                lane.terminate()
        for lane in lanes:
            # A lane that was never started has nothing to wait for.
            with suppress(AssertionError):
                lane.join(PATIENCE)


def _next(results: "Queue[Message]", lanes: Sequence[SpawnProcess], report: Report) -> tuple[Task, Matrix]:
    """Wait for the next finished proof, passing on what the lanes say meanwhile."""
    while True:
        try:
            said = results.get(timeout=1)
        except queue.Empty:
            if not any(lane.is_alive() for lane in lanes):
                raise StackError("The proofs ended before all were made.", "Run it again, with --jobs 1.") from None
            continue
        if said.error is not None:
            raise StackError(*said.error)
        if said.task is not None and said.matrix is not None:
            return said.task, said.matrix
        report(said.phase)


def _lane(settings: Settings, waiting: "Queue[Task | None]", results: "Queue[Message]") -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    current = [""]

    def report(phase: str) -> None:
        results.put(Message(phase=f"{current[0]}: {phase}" if current[0] and phase else phase))

    def tasks() -> Iterator[Task]:
        while (task := waiting.get()) is not None:
            current[0] = task.name
            yield task

    with suppress(KeyboardInterrupt):
        try:
            for task, matrix in _one_by_one(settings, tasks(), report):
                results.put(Message(task=task, matrix=matrix))
        except CrashlabError as error:
            results.put(Message(error=(error.message, error.hint)))

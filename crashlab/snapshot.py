"""Trained, registered histories that incidents start from, so that no start has to train.

A snapshot is made once for a workload, a data seed, a runtime and the code it came from: the history is trained, a
healthy week is served and logged, and this machine's healthy latency is measured. Nothing in it belongs to a fault, and
nothing depends on the day on which it is made: what is copied from it is moved in time, see `crashlab.past`.
"""

import hashlib
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from crashlab import alerts, evidence, hidden, load, past, production, sources, store, watching
from crashlab.errors import CrashlabError, StackError
from crashlab.evidence.observer import Observer, Windows
from crashlab.model import Alert, Evidence, Frozen, LatencyProbe, RuntimeName
from crashlab.registry import RegistryClient
from crashlab.stack.base import Report, Stack, job
from crashlab.workload import Workload

LAG = 5.0
"""Seconds that the prediction log's writer is given to catch up."""
POOL = 240
"""Hidden requests in a snapshot's pool."""


class Reference(Frozen):
    """The training reference sample by column: transformed features, and raw numeric columns."""

    features: dict[str, list[float | None]]
    raw: dict[str, list[float | None]]


class Snapshot(Frozen):
    """A finished snapshot; `folder` holds data/, mlflow/ and hidden.jsonl."""

    folder: Path
    healthy: Evidence
    alerts: tuple[Alert, ...]
    """Alerts that fire on the healthy week: none, or the rules are wrong for this machine."""
    latency: LatencyProbe
    reference: Reference

    def moved(self, weeks: int) -> "Snapshot":
        """Return the snapshot with the days in its facts `weeks` later; its folder is that of the canonical one."""
        facts = past.moved_facts(self.healthy.facts, weeks)
        return self.model_copy(update={"healthy": self.healthy.model_copy(update={"facts": facts})})


def fingerprint(root: Path, workload: str, seed: int, runtime: RuntimeName) -> str:
    """Hash of everything a snapshot depends on."""
    digest = hashlib.sha256(f"{workload} {seed} {runtime} {POOL} {watching.FILE} {past.FORM}".encode())
    if runtime == "embedded":
        digest.update(platform.python_version().encode())
    for name in ("featurelib", "training", "serving"):
        for path in sorted((root / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    if (root / sources.HIDDEN).is_file():
        digest.update((root / sources.HIDDEN).read_bytes())
    return digest.hexdigest()[:16]


def made_from_table(root: Path, workload: str) -> bool:
    """Whether a workload was made from a person's own table."""
    return (root / "training" / workload / "schema.json").is_file()


def whole(folder: Path, root: Path, workload: str) -> bool:
    """Whether a folder holds a finished snapshot, with the ground of faults where the workload has one."""
    if not (folder / "snapshot.json").is_file() or not made_from_table(root, workload):
        return (folder / "snapshot.json").is_file()
    from crashlab.tables import ground

    return ground.path(folder).is_file()


def load_snapshot(folder: Path) -> Snapshot:
    """Read a finished snapshot, wherever its folder is by now."""
    return store.read(folder / "snapshot.json", Snapshot).model_copy(update={"folder": folder})


def ensure(
    root: Path,
    snapshots: Path,
    workload: Workload,
    seed: int,
    runtime: RuntimeName,
    make_stack: Callable[[Path], Stack],
    report: Report,
) -> Snapshot:
    """Return the snapshot, making it first where it is missing. Safe to interrupt; safe to run twice at a time."""
    folder = snapshots / f"{workload.name}-{fingerprint(root, workload.name, seed, runtime)}"
    if whole(folder, root, workload.name):
        return load_snapshot(folder)
    snapshots.mkdir(parents=True, exist_ok=True)
    with FileLock(snapshots / f"{folder.name}.lock"):
        if whole(folder, root, workload.name):
            return load_snapshot(folder)
        for stale in snapshots.glob(f".{folder.name}.*"):
            make_stack(stale).down()
            shutil.rmtree(stale, ignore_errors=True)
        home = Path(tempfile.mkdtemp(prefix=f".{folder.name}.{runtime}.", dir=snapshots))
        home.chmod(0o755)
        stack = make_stack(home)
        try:
            snapshot = _make(stack, workload, seed, root, report)
            if made_from_table(root, workload.name):
                from crashlab.tables import ground

                report("measuring what the model reacts to")
                store.write(ground.path(home), ground.measure(stack, workload, root, snapshot.reference.features))
        finally:
            stack.down()
        past.tell_recordings(home, workload)
        final = snapshot.model_copy(update={"folder": folder})
        for name in ("workspace", "logs", "releases"):
            shutil.rmtree(home / name, ignore_errors=True)
        store.write(home / "snapshot.json", final)
        shutil.rmtree(folder, ignore_errors=True)
        home.rename(folder)
        return final


def sweep(snapshots: Path, make_stack: Callable[[RuntimeName, Path, str], Stack]) -> None:
    """Tear down the stacks of killed commands that were making a snapshot, and remove what they had made."""
    runtimes: tuple[RuntimeName, ...] = ("compose", "embedded")
    for runtime in runtimes:
        for draft in snapshots.glob(f".*.{runtime}.*"):
            name = draft.name[1:].split(".", 1)[0]
            # Whoever is making it holds the lock.
            with suppress(Timeout, CrashlabError), FileLock(snapshots / f"{name}.lock", timeout=0):
                make_stack(runtime, draft, name.rsplit("-", 1)[0]).down()
                shutil.rmtree(draft, ignore_errors=True)


def _job(stack: Stack, argv: list[str], stdin: str = "") -> str:
    done = job(stack, argv, stdin=stdin)
    if done.code != 0:
        raise StackError(f"The training job failed at `{' '.join(argv[:2])}`.", done.err.strip()[-600:])
    return done.out


def _make(stack: Stack, workload: Workload, seed: int, root: Path, report: Report) -> Snapshot:
    calendar = workload.calendar
    report("starting the model registry")
    stack.up(["mlflow"], report)
    report("training the history of models")
    _job(stack, ["bootstrap", "--seed", str(seed)])
    report("starting the serving API")
    stack.up(["serving"], report)
    report("replaying a healthy week")
    replay(stack, calendar.week_start, calendar.week_end, calendar.replay_every)
    report("drawing hidden requests")
    # The rows of a person's own table are given, as no file of the workspace holds them.
    given = root / sources.HIDDEN
    out = _job(
        stack,
        ["sample", *(["--rows"] if given.is_file() else []), "--n", str(POOL), "--stream", "hidden", "--seed", str(seed),
         "--start", calendar.week_start.date().isoformat(), "--end", calendar.week_end.date().isoformat()],
        given.read_text(encoding="utf-8") if given.is_file() else "",
    )  # fmt: skip
    rows = [json.loads(line) for line in out.splitlines() if line.strip()]
    scored = _job(
        stack, ["score", "--version", str(workload.champion)], "".join(json.dumps(r["order"]) + "\n" for r in rows)
    )
    answers = [json.loads(line) for line in scored.splitlines() if line.strip()]
    pool = [
        hidden.HiddenRow(order=row["order"], actual=row["actual"], **a) for row, a in zip(rows, answers, strict=True)
    ]
    store.write_text(stack.home / "hidden.jsonl", "".join(row.model_dump_json() + "\n" for row in pool), private=True)
    past.tell_registry(stack.home / "mlflow", workload)
    report("measuring the healthy system")
    registry = stack.registry
    if not isinstance(registry, RegistryClient):
        raise StackError("A snapshot needs a real registry.", "Use the compose or the embedded runtime.")
    reference = Reference.model_validate(registry.reference_sample(workload.champion))
    windows = Windows((calendar.week_start, calendar.baseline_end), (calendar.baseline_end, calendar.week_end))
    seen = Observer(stack, workload, windows, reference.features, reference.raw)
    healthy = evidence.collect(seen, "healthy")
    payloads = [{**row.order, workload.entity: f"monitor-{i}"} for i, row in enumerate(pool[:40])]
    url = stack.url("serving")
    latency = load.latency(url, payloads, workload.prediction)
    latency = latency.model_copy(update=load.lonely(url, payloads, workload.batch_key, hidden.FAST))
    return Snapshot(
        folder=stack.home, healthy=healthy, alerts=alerts.evaluate(seen), latency=latency, reference=reference
    )


def replay(stack: Stack, start: datetime, end: datetime, every: int, *, as_it_is: bool = False) -> None:
    """Send every N-th request of the stream with event time in [start, end) to the API, with their labels.

    `as_it_is` sends them to an API that may answer nothing; otherwise one is waited for, and has to answer.
    Returns when the answers are in the prediction log, whose writer works some tenths of a second behind them.
    """
    begun = datetime.now(UTC)
    with watching.watched(stack):
        out = _job(
            stack,
            ["traffic", "replay", "--start", start.astimezone(UTC).isoformat(), "--end", end.astimezone(UTC).isoformat(),
             "--every", str(every), "--concurrency", str(load.CONCURRENCY), *(["--as-it-is"] if as_it_is else [])],
        )  # fmt: skip
    sent = int(json.loads(out.splitlines()[-1])["sent"])
    deadline = time.monotonic() + LAG
    # A log that drops rows, on a full disk for instance, never gets there.
    while production.logged(stack.home / "data", begun) < sent and time.monotonic() < deadline:
        time.sleep(0.05)

"""An incident from start to verdict: wires the stack, the scenario, the evidence and the grader together."""

import hashlib
import json
import random
import secrets
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

import grader
from crashlab import (
    aftermath,
    alerts,
    answers,
    distractors,
    drawing,
    evidence,
    freezing,
    hidden,
    mixes,
    past,
    production,
    scenario,
    snapshot,
    sources,
    store,
    timeline,
    workload,
)
from crashlab.answers import citation
from crashlab.errors import CrashlabError, NotReady, StackError, StateError, UsageError
from crashlab.evidence import figures
from crashlab.evidence.observer import Observer, Windows
from crashlab.mixes import MixName
from crashlab.model import Brief, Bundle, Evidence, Ground, HintTaken, Probe, RuntimeName, Submission, Truth, Verdict
from crashlab.pins import locked
from crashlab.records import Attempt, Deployment, LogKept, Measurement, Paths, Record, Sealed
from crashlab.settings import Settings
from crashlab.stack.base import Report, Stack, job, silent
from crashlab.stack.envs import compile_requirements
from crashlab.stack.services import find, requirements_folder
from crashlab.tables import ground as grounds
from crashlab.workspace import GitWorkspace

if TYPE_CHECKING:
    from crashlab.report import Drift

MAX_BYTES = 1_000_000
"""Largest post-mortem that is read, in bytes."""
FREEZE = 180.0
"""Seconds within which the evidence is frozen, however slow the broken system is."""
BURST = timedelta(hours=10)
"""Data time of orders replayed after a deployment, so that there is something to measure."""


def open_stack(settings: Settings, runtime: RuntimeName, home: Path, name: str, root: Path | None = None) -> Stack:
    """Return the stack that lives in `home`, running or not. `root` holds the code, where it is not the project's."""
    root = root or settings.root
    if runtime == "compose":
        from crashlab.stack.compose import ComposeStack

        return ComposeStack(home=home, root=root, shared=settings.home, workload=name)
    from crashlab.stack.embedded import EmbeddedStack

    return EmbeddedStack(home=home, root=root, shared=settings.home, workload=name)


def unreadable(text: str) -> str:
    """Say why a post-mortem cannot be graded, whatever system comes with it; empty where it can."""
    try:
        grader.parse(text)
    except ValueError as error:
        return str(error)
    return ""


def commitment(nonce: str, seed: int) -> str:
    """SHA-256 of nonce and seed, shown at the start and opened after the end."""
    return hashlib.sha256(f"{nonce}:{seed}".encode()).hexdigest()


class Incident:
    """One stack, one truth, one learner."""

    def __init__(self, settings: Settings, identifier: str) -> None:
        self.settings = settings
        self.paths = Paths(settings.home, identifier)
        if not self.paths.record.is_file():
            known = ", ".join(identifiers(settings)) or "none"
            raise UsageError(
                f"There is no incident {identifier!r}.", f"Known incidents: {known}. Start one with `crashlab start`."
            )
        self.record = store.read(self.paths.record, Record)
        self.root = self.record.root or settings.root
        self.workload = workload.load(self.root, self.record.workload).moved(self.record.weeks)
        # A proof lends its own stack's folder to an incident, behind a link.
        home = self.paths.system.resolve()
        self.stack = open_stack(settings, self.record.runtime, home, self.record.workload, self.root)

    def save(self, **changes: object) -> None:
        """Change the record and write it."""
        self.record = self.record.model_copy(update=changes)
        store.write(self.paths.record, self.record)

    def freezing(self, timeout: float) -> FileLock:
        """Return the lock under which the evidence is frozen."""
        return FileLock(self.paths.sealed / ".freeze", timeout=timeout)

    def frozen(self, report: Report = silent) -> None:
        """Freeze the facts of the broken system, unless that is done, and let the traffic trickle on.

        A start leaves a process behind that does it while the brief is being read; every command that could change
        the system comes here first. Raises StackError where a fact cannot be measured: nothing is then frozen.
        """
        if self.paths.broken.is_file():
            return
        try:
            with self.freezing(FREEZE):
                self.record = store.read(self.paths.record, Record)
                if self.paths.broken.is_file() or self.record.phase == "stopped":
                    return
                report("freezing the evidence")
                self._freeze_evidence()
        except Timeout as error:
            raise StateError(
                f"The evidence of {self.record.id} is still being frozen.", "Repeat the command in a minute."
            ) from error

    def _freeze_evidence(self) -> None:
        truth = self.sealed.truth
        # A host or an engine that was restarted meanwhile leaves services ended; what was deployed last is what broke.
        dead = any(alert.rule == alerts.UNANSWERED for alert in self.brief.alerts)
        self.stack.up(["mlflow"] if dead else ["mlflow", "serving"])
        broken = evidence.collect(self.observer(), "broken")
        if broken.failures:
            reasons = dict[str, list[str]]()
            for family, reason in broken.failures.items():
                reasons.setdefault(reason, []).append(family)
            why = "; ".join(f"{reason} ({', '.join(families)})" for reason, families in reasons.items())
            raise StackError(
                f"The evidence could not be frozen: {why}.", "See `crashlab status`, then repeat the command."
            )
        chosen = store.read(self.paths.hidden, hidden.HiddenSet)
        if truth.world:
            seed = self.settings.data_seed
            chosen = hidden.in_changed_world(self.stack, self.workload, chosen, truth.world, truth.seed, seed)
        if chosen.words:
            chosen = hidden.in_todays_words(self.stack, chosen)
        store.write(self.paths.hidden, hidden.mark_touched(self.stack, self.workload, chosen), private=True)
        until = datetime.now(UTC)
        kept = LogKept(until=until, rows=production.recorded(self.stack.home / "data", until))
        store.write(self.paths.kept, kept, private=True)
        store.write(self.paths.broken, broken, private=True)
        self.stack.up(["traffic"])

    @contextmanager
    def alone(self, *phases: str, freeze: bool = True) -> Iterator[None]:
        """Hold the incident's lock, in one of the phases if any are given, with the evidence frozen.

        Raises StateError where another command is at work on it, or where it is in another phase by now.
        """
        if freeze:
            self.frozen()
        lock = FileLock(self.paths.root / ".lock", timeout=2)
        try:
            held = lock.acquire()
        except Timeout as error:
            raise StateError(
                f"Another command is working on {self.record.id}.", "Wait until it has finished, or interrupt it."
            ) from error
        with held:
            self.record = store.read(self.paths.record, Record)
            if phases:
                self.require(*phases)
            yield

    def require(self, *phases: str) -> None:
        """Raise StateError unless the incident is in one of the phases."""
        if self.record.phase not in phases:
            raise StateError(
                f"Incident {self.record.id} is {self.record.phase}.",
                "See `crashlab status`, or start a new one with `crashlab start`.",
            )

    @property
    def workspace(self) -> GitWorkspace:
        """The learner's repository."""
        found = self.stack.workspace
        if not isinstance(found, GitWorkspace):
            raise StackError("The workspace is not a git repository.", "Use the compose or the embedded runtime.")
        return found

    @property
    def origin(self) -> snapshot.Snapshot:
        """The snapshot that the incident was made from, in the incident's own calendar."""
        return snapshot.load_snapshot(self.record.snapshot).moved(self.record.weeks)

    @property
    def sealed(self) -> Sealed:
        """The truth; for the engine's own use before the end."""
        return store.read(self.paths.truth, Sealed)

    @property
    def brief(self) -> Brief:
        """What the learner is told."""
        return store.read(self.paths.brief, Brief)

    @property
    def over(self) -> bool:
        """Whether the seal may be opened."""
        return self.record.phase in ("passed", "stopped")

    def observer(self) -> Observer:
        """Return an observer of the system as it runs now."""
        calendar = self.workload.calendar
        snap = self.origin
        since = self.record.deployments[-1].at if self.record.deployments else None
        windows = Windows(
            (calendar.week_start, calendar.baseline_end),
            (calendar.baseline_end, calendar.week_end + timedelta(days=365)),
            since,
        )
        return Observer(self.stack, self.workload, windows, snap.reference.features, snap.reference.raw)

    def measure(self, selector: str) -> Measurement:
        """Measure one fact and write it into the notebook."""
        self.require("live", "submitted", "passed")
        key, value = evidence.measure(self.observer(), selector)
        entry = Measurement(at=datetime.now(UTC), selector=key, value=value, citation=citation(key, value))
        with self.alone():
            self.save(notebook=(*self.record.notebook, entry))
        return entry

    def deploy(self, message: str, report: Report = silent, *, catch_up: bool = True) -> str:
        """Commit what changed in the workspace, ship it and send it the next orders.

        Raises BuildFailed with the old version still serving.
        """
        with self.alone("live", "submitted", "passed"):
            self.commit_work(message)
            # Nothing else brings back what the host ended, by a restart for instance.
            self.stack.up(["mlflow", "traffic"], report)
            release = self.stack.deploy(report)
            # Until here the old version answered; its rows do not speak for the new one.
            deployed = Deployment(at=datetime.now(UTC), commit=release.commit)
            self.save(deployments=(*self.record.deployments, deployed))
            if catch_up:
                report(f"sending the next {self.workload.batch_key}")
                self.catch_up()
        return release.commit

    def commit_work(self, message: str) -> None:
        """Commit what the learner changed; requirements whose pins were edited are locked again first."""
        if self.workspace.dirty():
            for service in ("serving", "training"):
                folder = requirements_folder(self.workspace.path, find(service), self.record.workload)
                if not locked(folder):
                    compile_requirements(folder)
            self.workspace.commit_all(message)

    def catch_up(self) -> None:
        """Replay the next orders of the stream through the system that runs now."""
        last = production.last_event(self.stack.home / "data") or self.workload.calendar.week_end
        start = max(last, self.workload.calendar.week_end) + timedelta(seconds=1)
        snapshot.replay(self.stack, start, start + BURST, every=1)

    def retrain(self, options: list[str], report: Report = silent) -> dict[str, Any]:
        """Run the training job of the workspace and register its model. Moves no alias unless asked to."""
        with self.alone("live", "submitted", "passed"):
            report("training")
            done = job(self.stack, ["train", *options], timeout=600)
        if done.code != 0:
            raise StackError("The training job failed.", done.err.strip()[-500:])
        return dict(json.loads(done.out.strip().splitlines()[-1]))

    def job(self, argv: list[str], report: Report = silent) -> str:
        """Run another job of the workspace's training side; returns what it printed."""
        self.require("live", "submitted", "passed")
        with self.alone():
            report(f"running {argv[0]}")
            done = job(self.stack, argv, timeout=600)
        if done.code != 0:
            raise StackError(f"The job {argv[0]} failed.", done.err.strip()[-500:])
        return done.out.strip()

    def promote(self, alias: str, version: int) -> int | None:
        """Point an alias to a version; returns the version it pointed to. Raises UsageError for an unknown version."""
        self.require("live", "submitted", "passed")
        registry = self.stack.registry
        known = registry.versions()
        if version not in known:
            raise UsageError(f"There is no version {version}.", f"Versions: {', '.join(map(str, sorted(known)))}.")
        before = registry.aliases().get(alias)
        registry.move_alias(alias, version)
        return before

    def report(self, window: str, side: str) -> "Drift":
        """Compare a window of production with the training reference. See `crashlab.report.build`."""
        from crashlab.report import build

        self.require("live", "submitted", "passed")
        return build(
            self.observer(), "before" if window == "before" else "now", "raw" if side == "raw" else "features",
            self.paths.root / "reports",
        )  # fmt: skip

    def hints_taken(self) -> list[str]:
        """Texts of the hints that were opened."""
        known = scenario.of(self.settings.scenarios, self.sealed.truth).hints
        return [known[taken.index].text for taken in self.record.hints]

    def hint(self) -> tuple[HintTaken, str]:
        """Open the next hint; its cost is taken off the score."""
        with self.alone("live", "submitted"):
            hints = scenario.of(self.settings.scenarios, self.sealed.truth).hints
            index = len(self.record.hints)
            if index >= len(hints):
                raise StateError("There are no more hints.", "Re-read the ones you have with `crashlab status`.")
            taken = HintTaken(index=index, cost=hints[index].cost)
            self.save(hints=(*self.record.hints, taken))
        return taken, hints[index].text

    def receive(self, text: str, author: str = "") -> Attempt:
        """Store a submission before anything else is done with it, so that it is never lost."""
        if len(text.encode()) > MAX_BYTES:
            raise UsageError(
                f"The post-mortem is {len(text.encode()) / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB is read.",
                "A good one fits on two pages. Put long outputs elsewhere and cite what they show.",
            )
        digest = hashlib.sha256(text.encode()).hexdigest()
        last = self.record.attempts[-1] if self.record.attempts else None
        if last and not last.graded and last.sha256 == digest:
            return last
        attempt = Attempt(number=len(self.record.attempts) + 1, received_at=datetime.now(UTC), sha256=digest)
        folder = self.paths.attempt(attempt.number)
        store.write_text(folder / "postmortem.md", text)
        store.write(
            folder / "submission.json",
            Submission(text=text, received_at=attempt.received_at, sha256=digest, author=author),
        )
        self.save(
            attempts=(*self.record.attempts, attempt), phase="passed" if self.record.phase == "passed" else "submitted"
        )
        return attempt

    def submit(self, text: str, author: str = "", report: Report = silent) -> Verdict:
        """Hand in a post-mortem and the system as it stands. Returns the verdict; a killed one is taken up again."""
        with self.alone("live", "submitted", "passed"):
            attempt = self.receive(text, author)
            folder = self.paths.attempt(attempt.number)
            bundle_path = folder / "bundle.json"
            submission = store.read(folder / "submission.json", Submission)
            if not bundle_path.is_file():
                store.write(bundle_path, self.freeze(submission, report), private=True)
            report("grading")
            return self.grade(attempt)

    def freeze(self, submission: Submission, report: Report, *, live: bool = True, thorough: bool = True) -> Bundle:
        """Measure the system that was left and put everything that the grader may see into one bundle.

        A bundle that is not thorough lacks the facts after the fix, which tell a stale citation from a false one.
        `live` and `thorough` are what `crashlab.hidden.probe` takes them for.
        """
        snap = self.origin
        sealed = self.sealed
        diff = self.workspace.diff(self.record.base_commit)[:200_000]
        probe = Probe(failure=unreadable(submission.text))
        if not probe.failure:
            self.commit_work("Uncommitted work at submission")
            probe = self.probe(report, live=live, thorough=thorough)
        why = probe.failure or "not asked for"
        after = Evidence(phase="after", taken_at=datetime.now(UTC), failures={"stack": why})
        if thorough and not probe.failure:
            report("taking the snapshot after the fix")
            after = evidence.collect(self.observer(), "after")
        return Bundle(
            incident=self.record.id,
            started_at=self.record.created_at,
            submission=submission,
            truth=sealed.truth,
            brief=self.brief,
            template=grader.template(self.brief),
            healthy=snap.healthy,
            broken=store.read(self.paths.broken, Evidence),
            after=after,
            probe=probe,
            diff=diff,
            notebook={entry.selector: entry.value for entry in self.record.notebook},
            hints=self.record.hints,
        )

    def probe(self, report: Report = silent, *, live: bool = True, thorough: bool = True) -> Probe:
        """Redeploy the workspace, hold the system to the hidden requests, and send it the next ones if thorough.

        See `crashlab.hidden.probe`.
        """
        snap = self.origin
        chosen = store.read(self.paths.hidden, hidden.HiddenSet)
        try:
            result = hidden.probe(
                self.stack, self.workload, chosen, snap.latency, self.workload.champion, report,
                live=live, thorough=thorough, soak=any(alert.rule == "memory-growth" for alert in self.brief.alerts),
            )  # fmt: skip
            result = aftermath.outlasted(self.stack, self.workload, chosen, result, self.sealed.truth.outlasts, report)
        except CrashlabError as error:
            # A service that was stopped is the learner's doing; where not even that can be told, nothing is graded.
            return Probe(failure=error.message, services=self.running())
        held = store.read(self.paths.kept, LogKept)
        if held.rows:
            there = production.recorded(self.stack.home / "data", held.until)
            result = result.model_copy(update={"kept": None if there is None else there / held.rows})
        deployed = Deployment(at=datetime.now(UTC), commit=self.stack.workspace.head())
        self.save(deployments=(*self.record.deployments, deployed))
        if thorough and not result.failure:
            report(f"sending the next {self.workload.batch_key}")
            self.catch_up()
        return result

    def running(self) -> dict[str, bool]:
        """Whether registry and serving API run; empty where the runtime does not say."""
        with suppress(CrashlabError):
            return {name: self.stack.state(name, health=False).running for name in ("mlflow", "serving")}
        return {}

    def grade(self, attempt: Attempt) -> Verdict:
        """Grade a frozen bundle and keep the verdict."""
        folder = self.paths.attempt(attempt.number)
        bundle = store.read(folder / "bundle.json", Bundle)
        verdict = grader.grade(bundle)
        store.write(folder / "verdict.json", verdict)
        reveal = self.over or verdict.passed
        store.write_text(
            folder / "verdict.html",
            grader.render_html(verdict, bundle, reveal=reveal, reference=self.reference() if reveal else ""),
        )
        score = verdict.score if verdict.graded else None
        graded = attempt.model_copy(update={"score": score, "passed": verdict.passed, "graded": True})
        attempts = tuple(graded if a.number == attempt.number else a for a in self.record.attempts)
        over = self.record.phase == "stopped" or not verdict.passed
        self.save(attempts=attempts, phase=self.record.phase if over else "passed")
        return verdict

    def verdict(self) -> tuple[Attempt, Verdict, Bundle]:
        """Return the latest verdict, grading a frozen bundle that a killed command left behind."""
        done = [a for a in self.record.attempts if (self.paths.attempt(a.number) / "bundle.json").is_file()]
        if not done:
            raise StateError("Nothing has been graded yet.", "Write postmortem.md and run `crashlab submit`.")
        attempt = done[-1]
        if not attempt.graded:
            with self.alone():
                self.grade(attempt)
            attempt = self.record.attempts[attempt.number - 1]
        folder = self.paths.attempt(attempt.number)
        return attempt, store.read(folder / "verdict.json", Verdict), store.read(folder / "bundle.json", Bundle)

    def reference(self) -> str:
        """Return the scenario's own post-mortem of this incident; empty where it cannot be filled any more."""
        truth = self.sealed.truth
        folder = self.settings.scenarios / truth.scenario
        with suppress(CrashlabError):
            broken = store.read(self.paths.broken, Evidence)
            return answers.render(folder, answers.REFERENCE, truth, self.brief, broken, self.workload)
        return ""

    def opened(self) -> str:
        """Say what was sealed. Raises StateError while the incident is open."""
        if not self.over:
            raise StateError("The incident is still open.", "Solve it, or end it with `crashlab stop`.")
        sealed = self.sealed
        truth = sealed.truth
        beside = "".join(
            f"And beside it: {item.cause} ({item.component}, {item.object}).\n{item.mechanism.sentence}\n"
            for item in truth.contributing
        )
        return (
            f"What was wrong: {truth.cause} ({truth.component}, {truth.object}), scenario {sealed.scenario}.\n"
            f"{truth.mechanism.sentence}\n"
            f"{beside}"
            f"What puts it right: {truth.remedy}\n"
            f"Seal: sha256 of '{sealed.nonce}:{sealed.seed}' is {self.record.commitment}"
        )

    def stop(self) -> None:
        """Tear the stack down and open the seal. The post-mortem, the notebook and every verdict stay.

        Raises StateError where another command is at work on the incident: it would go on to start services.
        """
        if self.record.phase == "starting":
            try:
                with self.starting():
                    self.abandon()
            except Timeout as error:
                raise StateError(f"{self.record.id} is being started.", "Wait for it, or interrupt it.") from error
            return
        try:
            with self.freezing(FREEZE), self.alone(freeze=False):
                self.stack.down()
                self.save(phase="stopped", scenario=self.sealed.scenario)
                for attempt in self.record.attempts:
                    if attempt.graded:
                        self.grade(attempt)
        except Timeout as error:
            raise StateError(
                f"The evidence of {self.record.id} is still being frozen.", "Stop it again in a minute."
            ) from error

    def starting(self) -> FileLock:
        """Return the lock that a start holds while it is alive; the kernel releases it when the process dies."""
        return FileLock(self.paths.sealed / ".start", timeout=0)

    def abandon(self) -> None:
        """Tear down and remove an incident that never came to its brief."""
        self.stack.down()
        shutil.rmtree(self.paths.root, ignore_errors=True)
        shutil.rmtree(self.paths.sealed, ignore_errors=True)


def identifiers(settings: Settings) -> list[str]:
    """Return incidents on this host, oldest first."""
    found = list(settings.incidents.glob("*/incident.json"))
    return [path.parent.name for path in sorted(found, key=lambda path: path.parent.stat().st_ctime)]


@contextmanager
def keep_current(settings: Settings) -> Iterator[None]:
    """Make the current incident the current one again at the end, whatever is started meanwhile."""
    pointer = settings.home / "current"
    before = pointer.read_text(encoding="utf-8") if pointer.is_file() else None
    try:
        yield
    finally:
        if before is None:
            pointer.unlink(missing_ok=True)
        else:
            store.write_text(pointer, before)


def current(settings: Settings, identifier: str | None = None) -> Incident:
    """Return the incident with this id, or the one started last."""
    if identifier:
        return Incident(settings, identifier)
    pointer = settings.home / "current"
    if not pointer.is_file() or not (settings.incidents / pointer.read_text(encoding="utf-8").strip()).is_dir():
        raise StateError(
            "There is no incident.", "Start one with `crashlab start --blind`, or by name; see `crashlab list`."
        )
    return Incident(settings, pointer.read_text(encoding="utf-8").strip())


def start(
    settings: Settings,
    name: str | None,
    *,
    blind: bool = False,
    level: int | None = None,
    family: str | None = None,
    mix: MixName = "teaching",
    drafts: bool = False,
    seed: int | None = None,
    on: str | None = None,
    runtime: RuntimeName = "embedded",
    report: Report = silent,
    system: Path | None = None,
    weeks: int | None = None,
    background: bool = False,
) -> Incident:
    """Bring up a system, break it and write the brief. Whatever fails or is interrupted is torn down again.

    Without a name, a scenario is drawn among those of `level` and `family` by the weights of `mix`; a seed that was
    given draws the same one again. Without a seed, a blind start draws another truth than the incident before it had. Drafts are drawn if `drafts`, and on a person's own table, for which none was proved. `system` is the folder of a pristine stack to use instead of one of its own; such
    an incident does not become the current one, and has the calendar of that stack, which lies `weeks` after the canonical one;
    any other's week is the latest one that is over. With `background`, the evidence is frozen after the return. `on` is the
    workload, for instance one that was made from a person's own table; the scenario's own where it is None.
    """
    known = [scenario.load(settings.scenarios, name)] if name else scenario.catalogue(settings.scenarios)
    known, ground = played_on(settings, known, on, runtime, report)
    if not name:
        able = drafts or ground is not None
        known = mixes.candidates(known, runtime, level, family, drafts=able, workload=on)
    last = drawing.previous(settings) if seed is None and (blind or name is None) else None
    chosen, seed = drawn(settings, known, mix, seed, last, ground)
    if runtime not in chosen.runtimes:
        raise UsageError(
            f"{chosen.name} does not run on {runtime}: it needs {' and '.join(chosen.needs)}.",
            f"Use --runtime {chosen.runtimes[0]}.",
        )
    nonce = secrets.token_hex(16)
    root = sources.root(settings, chosen.workload)
    load = workload.load(root, chosen.workload)
    created_at = datetime.now(UTC)
    weeks = load.calendar.weeks_to(created_at) if weeks is None else weeks
    truth = scenario.plan(chosen.name, seed, ground).moved(weeks)
    pool = distractors.load(root, chosen.workload)
    end = load.calendar.moved(weeks).week_end
    truth = distractors.draw(pool, truth, end, scenario.fires(chosen, truth), chosen.without)

    def make(home: Path) -> Stack:
        return open_stack(settings, runtime, home, chosen.workload, root)

    snap = snapshot.ensure(root, settings.snapshots, load, settings.data_seed, runtime, make, report)
    identifier = f"{chosen.workload}-{secrets.token_hex(3)}"
    paths = Paths(settings.home, identifier)
    record = Record(
        id=identifier,
        workload=chosen.workload,
        runtime=runtime,
        scenario="" if blind or name is None else chosen.name,
        blind=blind or name is None,
        level=chosen.level,
        commitment=commitment(nonce, seed),
        created_at=created_at,
        phase="starting",
        snapshot=snap.folder,
        weeks=weeks,
        root=None if root == settings.root else root,
    )
    paths.sealed.mkdir(parents=True, mode=0o700)
    with FileLock(paths.sealed / ".start"):
        # The record comes first: what has one is found again and torn down if this start is killed.
        store.write(paths.record, record)
        store.write(paths.truth, Sealed(nonce=nonce, seed=seed, scenario=chosen.name, truth=truth), private=True)
        if system is not None:
            paths.system.symlink_to(system)
        incident = Incident(settings, identifier)
        try:
            prepare(incident, snap, truth, fresh=system is None)
            break_system(incident, truth, report, dead=alerts.UNANSWERED in chosen.alerts)
            tell(incident, chosen, truth, report)
            if not background:
                incident.frozen(report)
        except BaseException:
            incident.abandon()
            raise
    if system is None:
        store.write_text(settings.home / "current", identifier)
    if background:
        freezing.leave_behind(settings, identifier)
    return incident


def drawn(
    settings: Settings,
    found: Sequence[scenario.Scenario],
    mix: MixName,
    seed: int | None,
    last: drawing.Played | None,
    ground: Ground | None,
) -> tuple[scenario.Scenario, int]:
    """Return one of the scenarios, drawn by the weights of `mix`, and its seed: the given one, or one that repeats not `last`."""
    rng: random.Random = secrets.SystemRandom() if seed is None else random.Random(f"draw:{seed}")

    def choose(some: Sequence[scenario.Scenario], seed: int) -> scenario.Scenario:
        return some[0] if len(some) == 1 else mixes.draw(some, mixes.load(settings.scenarios), mix, rng, seed, ground)

    return drawing.draw(found, choose, rng, last, ground) if seed is None else (choose(found, seed), seed)


def played_on(
    settings: Settings, found: list[scenario.Scenario], on: str | None, runtime: RuntimeName, report: Report
) -> tuple[list[scenario.Scenario], Ground | None]:
    """Return the scenarios that run on the workload `on`, as they are told there, and its ground if it is one's own.

    One scenario that does not run there is refused with the reason; of several, those that do are returned.
    """
    if on is None:
        return found, None
    if on not in sources.own_names(settings):
        known = workload.names(settings.root)
        fitting = [item for item in found if item.workload == on]
        if on not in known:
            own = ", ".join([*known, *sources.own_names(settings)])
            raise UsageError(f"There is no workload {on!r}.", f"Workloads: {own}. `crashlab workload add` makes one.")
        if not fitting:
            raise UsageError(f"{found[0].name} does not run on {on}.", f"It runs on {found[0].workload}.")
        return fitting, None
    root = sources.root(settings, on)
    # What is felt is measured when the history is trained.
    snapshot.ensure(
        root, settings.snapshots, workload.load(root, on), settings.data_seed, runtime,
        lambda home: open_stack(settings, runtime, home, on, root), report,
    )  # fmt: skip
    ground = grounds.load(settings, on)
    if len(found) == 1:
        told = found[0].on(on)
        scenario.plan(told.name, 0, ground)
        return [told], ground
    able, _ = scenario.playable(found, ground)
    return able, ground


def prepare(incident: Incident, snap: snapshot.Snapshot, truth: Truth, *, fresh: bool = True) -> None:
    """Fill the stack's folder from the snapshot, unless it is full already, with production recorded up to the onset."""
    load, weeks, system = incident.workload, incident.record.weeks, incident.paths.system
    if fresh:
        GitWorkspace.create(system / "workspace", incident.root, load.name, weeks)
        past.copy(snap.folder, system, load, weeks)
    # The history came with the snapshot: the training job has run, as far as this stack is concerned.
    (system / "mlflow" / ".bootstrapped").touch()
    forget_after(system / "data", truth.onset)
    pool = hidden.read_pool(snap.folder / "hidden.jsonl", load.event_time, weeks)
    store.write(incident.paths.hidden, hidden.draw(pool, truth.seed, load.entity), private=True)


def forget_after(data: Path, onset: datetime) -> None:
    """Drop the healthy recording from the onset on; the broken system answers those orders itself."""
    import sqlite3
    from contextlib import closing

    for file, table in (("predictions.db", "predictions"), ("labels.db", "labels"), ("requests.db", "requests")):
        with closing(sqlite3.connect(data / file)) as connection, connection:
            rows = connection.execute(f"SELECT rowid, event_time FROM {table}").fetchall()  # noqa: S608 two fixed names
            late = [(row[0],) for row in rows if datetime.fromisoformat(row[1]) >= onset]
            connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", late)  # noqa: S608 two fixed names


def bring_up(stack: Stack, report: Report = silent, *, dead: bool = False) -> None:
    """Start the serving API, which has to become ready unless it is one that may be `dead`."""
    try:
        stack.up(["serving"], report)
    except NotReady:
        if not dead:
            raise


def down_with(stack: Stack, begun: Sequence[Future[Any]]) -> None:
    """Tear a stack down while others still start its services or wait for them; return when they have given up.

    Raises StackError where something cannot be removed although nobody is at work any more.
    """
    ended = False
    while not ended:
        ended = not wait(begun, timeout=0.5).not_done
        try:
            stack.down()
        except StackError:
            # A container that is started at this moment holds its network; the next turn removes both.
            if ended:
                raise


def break_system(incident: Incident, truth: Truth, report: Report, *, dead: bool = False) -> None:
    """Inject the fault into the workspace or registry while the registry starts, then deploy and replay.

    `dead` says that the API may not come up, or answer nothing: it is then tried first, and the replay waits for nothing.
    """
    stack = incident.stack
    harmless = distractors.load(incident.root, incident.record.workload)
    around = distractors.surround(harmless, truth)
    workspace = distractors.DatedWorkspace(stack.workspace, around.moments)
    with ThreadPoolExecutor(3) as pool:
        report("starting the model registry")
        registry = pool.submit(stack.up, ["mlflow"])
        begun: list[Future[None]] = [registry]
        try:
            for change in around.before:
                workspace.commit(change)
            scenario.inject(distractors.dated(stack, workspace), truth)
            past.date_new_runs(incident.paths.system / "mlflow", incident.record.created_at, truth.onset)
            if truth.world:
                change_world(stack, truth, incident.settings.data_seed)
            distractors.foresee(stack.home / "data", truth)
            settle(incident)
            for change in around.after(workspace.made - len(around.before)):
                workspace.commit(change)
            head = stack.workspace.head()
            incident.save(base_commit=head, deployments=(Deployment(at=datetime.now(UTC), commit=head),))
            report("starting the serving API")
            calendar = incident.workload.calendar
            later = distractors.releases(truth)
            until = [at for at, _ in later] + [calendar.week_end]
            serving = pool.submit(bring_up, stack, report, dead=dead)
            begun.append(serving)
            if dead:
                serving.result()
            # The client waits until the API is ready, and has started by then.
            replay = pool.submit(snapshot.replay, stack, truth.onset, until[0], calendar.replay_every, as_it_is=dead)
            begun.append(replay)
            figures.warm_up()
            registry.result()
            assert_aliases(stack)
            serving.result()
            report("replaying production traffic")
            replay.result()
            for (at, message), end in zip(later, until[1:], strict=True):
                stack.workspace.commit(distractors.shipped(harmless, truth, at, message))
                # It changes nothing, so what was answered before it speaks for the system as well: it is no deployment
                # from which on the evidence counts.
                assert_aliases(stack)
                incident.save(base_commit=stack.deploy(report).commit)
                report("replaying production traffic")
                snapshot.replay(stack, at, end, calendar.replay_every)
        except BaseException:
            down_with(stack, begun)
            raise


def assert_aliases(stack: Stack) -> None:
    """Point every alias to where it points, as the release job does: the registry's log then tells of it in any incident."""
    for alias, version in stack.registry.aliases().items():
        stack.registry.move_alias(alias, version)


def change_world(stack: Stack, truth: Truth, data_seed: int) -> None:
    """Let the orders from the onset on be those of another world."""
    world = json.dumps(truth.world)
    done = job(stack, ["stream", "--seed", str(data_seed), "--since", truth.onset.isoformat(), "--world", world])
    if done.code != 0:
        raise StackError("The stream of orders could not be written.", done.err.strip()[-300:])


def settle(incident: Incident) -> None:
    """Write what the scenario says of traffic into the stored stream, so that no file tells it to a reader."""
    path = incident.paths.system / "data" / "traffic.json"
    if not path.is_file():
        return
    words = json.loads(path.read_text(encoding="utf-8")).get("clients", {})
    chosen = store.read(incident.paths.hidden, hidden.HiddenSet)
    store.write(incident.paths.hidden, chosen.model_copy(update={"words": words}), private=True)
    done = job(incident.stack, ["traffic", "settle"])
    if done.code != 0:
        raise StackError("The stream of orders could not be written.", done.err.strip()[-300:])


def tell(incident: Incident, chosen: scenario.Scenario, truth: Truth, report: Report) -> None:
    """Write the brief from the alerts that fired."""
    report("evaluating alerts")
    seen = incident.observer()
    fired = alerts.evaluate(seen)
    if not fired:
        raise StackError(
            "The incident did not take effect: no alert fired.", "Start it again; report the scenario if it repeats."
        )
    blind = incident.record.blind
    burst = distractors.load(incident.root, incident.record.workload).burst
    brief = Brief(
        incident=incident.record.id,
        title=f"{incident.workload.title}: you are on call" if blind else chosen.title,
        workload=incident.record.workload,
        level=chosen.level,
        blind=blind,
        objective=f"{incident.workload.description} {incident.workload.promise}",
        alerts=fired,
        timeline=timeline.public(incident.stack, truth, incident.workload.routine, burst.notice if burst else ""),
        onset_hint=f"The first alert fired {min(a.since for a in fired):%A %d %B %Y %H:%M} UTC.",
        commitment=incident.record.commitment,
    )
    store.write(incident.paths.brief, brief)
    store.write_text(incident.paths.postmortem, grader.template(brief))
    incident.save(phase="live")


def clean_up(settings: Settings) -> list[str]:
    """Tear down what killed starts left behind. Returns their ids.

    What cannot be torn down now, with Docker away for instance, is left for the next time.
    """

    def make(runtime: RuntimeName, home: Path, name: str) -> Stack:
        return open_stack(settings, runtime, home, name)

    snapshot.sweep(settings.snapshots, make)
    cleaned = []
    for identifier in identifiers(settings):
        with suppress(Timeout, CrashlabError):
            incident = Incident(settings, identifier)
            if incident.record.phase == "starting":
                with incident.starting():
                    incident.abandon()
                cleaned.append(identifier)
    return cleaned

"""An incident from start to verdict: wires the stack, the scenario, the evidence and the grader together."""

import hashlib
import json
import shutil
from collections.abc import Iterator
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
    embedding,
    evidence,
    hidden,
    production,
    scenario,
    snapshot,
    store,
    workload,
)
from crashlab.answers import citation
from crashlab.errors import CrashlabError, StackError, StateError, UsageError
from crashlab.evidence.observer import Observer, Windows
from crashlab.model import Brief, Bundle, Evidence, HintTaken, Probe, RuntimeName, Submission, Verdict
from crashlab.pins import locked
from crashlab.records import Attempt, Deployment, LogKept, Measurement, Paths, Record, Sealed
from crashlab.settings import Settings
from crashlab.stack.base import Report, Stack, job, silent
from crashlab.stack.envs import compile_requirements
from crashlab.stack.services import find, requirements_folder
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
            vectors={} if probe.failure else embedding.of(submission.text),
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


def running(settings: Settings) -> list[str]:
    """Ids of the incidents that are not over."""
    found = []
    for identifier in identifiers(settings):
        with suppress(CrashlabError):
            if store.read(Paths(settings.home, identifier).record, Record).phase != "stopped":
                found.append(identifier)
    return found


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

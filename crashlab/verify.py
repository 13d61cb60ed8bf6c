"""Proof that a scenario is sound: what fires, what passes, and that everything wrong fails."""

import itertools
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grader
from crashlab import alerts, answers, distractors, scenario, store
from crashlab.errors import CrashlabError
from crashlab.incident import Incident
from crashlab.model import Alert, Bundle, Evidence, Frozen, Ground, RuntimeName, Shown, Submission, Truth, Verdict
from crashlab.settings import Settings
from crashlab.stack.base import Report
from crashlab.stand import Stand, mirror
from crashlab.starting import bring_up, start
from crashlab.tables import ground as grounds
from crashlab.workload import Workload

PASS_MARK = 90.0
"""Least score of the reference answer."""
SEEDS = range(100, 112)
"""Seeds that must not all give one truth."""
MARGIN = 0.2
"""Part of its threshold by which an alert must clear it, and by which a silent rule must stay below."""
LIVE = ("predictions.db", "labels.db")
"""Files of the data folder that go on changing while the system runs; a restored system keeps them."""
DECOYS = 3
"""Least number of wrong post-mortems and of wrong remedies."""


class Step(Frozen):
    """One thing that was proved or refuted, and what shows it."""

    name: str
    passed: bool
    detail: str
    seconds: float


class Matrix(Frozen):
    """Everything that was tried on one scenario with one seed. `phases` are seconds by what was being done.

    `in_company` names steps that had failed while another proof was running; these steps were then made again, alone.
    """

    scenario: str
    runtime: RuntimeName
    seed: int
    steps: tuple[Step, ...]
    phases: dict[str, float]
    in_company: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every step holds."""
        return all(step.passed for step in self.steps)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(step.seconds for step in self.steps)


@dataclass
class Trial:
    """One scenario under proof on a stand."""

    stand: Stand
    name: str
    seed: int
    tell: Report
    ground: Ground | None = None
    """Of the person's own table that the stand's workload was made from, if it was."""
    steps: list[Step] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    phase: str = ""
    since: float = field(default_factory=time.monotonic)

    @property
    def settings(self) -> Settings:
        """Where things are."""
        return self.stand.settings

    @property
    def folder(self) -> Path:
        """The scenario's folder."""
        return self.settings.scenarios / self.name

    def report(self, phase: str) -> None:
        """Pass on what begins now, and note how long the phase before it took."""
        now = time.monotonic()
        if self.phase:
            self.phases[self.phase] = round(self.phases.get(self.phase, 0.0) + now - self.since, 2)
        self.phase, self.since = phase, now
        self.tell(phase)

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[bool, str], None]]:
        """Time one step; the caller says whether it holds. A known failure is a refutation with its reason."""
        self.tell(name)
        begin = time.monotonic()
        outcome: list[tuple[bool, str]] = []
        try:
            yield lambda passed, detail: outcome.append((passed, detail))
        except CrashlabError as error:
            outcome.append((False, f"{error.message} {error.hint}".strip()))
        passed = bool(outcome) and all(ok for ok, _ in outcome)
        told = "; ".join(text for ok, text in outcome if text and ok == passed)
        detail = told or ("holds" if passed else "nothing was proved")
        self.steps.append(Step(name=name, passed=passed, detail=detail, seconds=round(time.monotonic() - begin, 1)))


def verify(stand: Stand, name: str, seed: int, report: Report, *, whole: bool = True) -> Matrix:
    """Prove one scenario with one seed on a stand, which is put back afterwards.

    A proof that is not `whole` leaves out remedies and post-mortems: it is for further seeds of a scenario, to see that
    the fault takes effect, by a margin, leaves its evidence and leaks nothing.
    """
    known, ground = scenario.load(stand.settings.scenarios, name), None
    if stand.workload != known.workload:
        known, ground = known.on(stand.workload), grounds.load(stand.settings, stand.workload)
    trial = Trial(stand, name, seed, report, ground)
    _folder(trial, known)
    _seeds(trial)
    incident = _begin(trial, known)
    if incident is not None:
        try:
            _healthy(trial, incident)
            _margins(trial, incident)
            _evidence(trial, incident)
            _leaks(trial, incident)
            # Answers speak of the alerts that fire, so without them there is nothing to hold the system to.
            if whole and all(step.passed for step in trial.steps):
                good = _fixes(trial, incident)
                if good is not None:
                    _written(trial, incident, known, good)
        finally:
            shutil.rmtree(incident.paths.root, ignore_errors=True)
            shutil.rmtree(incident.paths.sealed, ignore_errors=True)
    with trial.step("the next scenario begins clean") as proved:
        trial.stand.reset(trial.report)
        left = trial.stand.leftovers()
        proved(not left, f"left behind: {', '.join(left[:4])}" if left else "workspace, data, registry and services")
    trial.report("")
    return Matrix(scenario=name, runtime=stand.runtime, seed=seed, steps=tuple(trial.steps), phases=trial.phases)


def _folder(trial: Trial, known: scenario.Scenario) -> None:
    with trial.step("the folder is complete") as proved:
        own = trial.ground is not None
        missing = [d.file for d in known.decoys if not answers.exists(trial.folder, d.file, own=own)]
        proved(not missing, f"no such answer: {', '.join(missing)}" if missing else "")
        unknown = sorted(set(known.alerts) - set(alerts.RULES))
        proved(
            not unknown, f"no such rule: {', '.join(unknown)}; docs/reference/alerts.md lists them" if unknown else ""
        )
        _, decoys = scenario.fixes(trial.name, own=own)
        counts = f"{len(known.decoys)} wrong post-mortems, {len(decoys)} wrong remedies, {len(known.hints)} hints"
        proved(min(len(known.decoys), len(decoys)) >= DECOYS, f"{counts}; {DECOYS} of each kind are needed")
        silent = [d.file for d in known.decoys if not d.why.strip()] + [f.name for f in decoys if not f.why.strip()]
        proved(not silent, f"without a reason: {', '.join(silent)}" if silent else "each with its reason")


def _seeds(trial: Trial) -> None:
    with trial.step("one seed repeats, several differ") as proved:
        first = scenario.plan(trial.name, trial.seed, trial.ground)
        repeats = first == scenario.plan(trial.name, trial.seed, trial.ground)
        proved(repeats, "one seed gives one truth" if repeats else f"two plans of seed {trial.seed} differ")
        drawn = distinct(scenario.plan(trial.name, s, trial.ground) for s in SEEDS)
        proved(drawn > 1, f"{drawn} truths from {len(SEEDS)} seeds, the onset apart")
        known = grader.taxonomy()
        for item in first.faults:
            named = item.cause in {c.id for c in known.causes}
            proved(named, f"{item.cause} is {'' if named else 'not '}in the taxonomy")
            placed = item.component in {c.id for c in known.components}
            proved(placed, f"{item.component} is {'a' if placed else 'no'} component")


def distinct(truths: Iterable[Truth]) -> int:
    """Count truths that differ in more than the onset."""
    return len({truth.essence for truth in truths})


def _begin(trial: Trial, known: scenario.Scenario) -> Incident | None:
    incident: Incident | None = None
    with trial.step("the injection fires its alerts") as proved:
        incident = start(
            trial.settings, trial.name, blind=True, seed=trial.seed, runtime=trial.stand.runtime, report=trial.report,
            system=trial.stand.system, weeks=trial.stand.weeks, on=trial.stand.workload if trial.ground is not None else None,
        )  # fmt: skip
        fired = {alert.rule for alert in incident.brief.alerts}
        truth = incident.sealed.truth
        wanted = {*scenario.fires(known, truth), *distractors.alerts(truth)}
        missing, more = sorted(wanted - fired), sorted(fired - wanted)
        proved(not missing, f"stayed silent: {', '.join(missing)}" if missing else "")
        proved(not more, f"fired unasked: {', '.join(more)}" if more else "fired: " + ", ".join(sorted(wanted)))
        proved(True, "beside it: " + ", ".join(item.kind for item in truth.distractors))
    return incident


def _healthy(trial: Trial, incident: Incident) -> None:
    with trial.step("the healthy system shows nothing wrong") as proved:
        snap = incident.origin
        proved(not snap.alerts, ", ".join(alert.rule for alert in snap.alerts) or "no alert on the healthy week")
        differing = snap.healthy.facts.get("parity mismatch")
        proved(differing == 0, f"parity mismatch {differing}; training and serving agree on every row if it is 0")
        proved(not snap.healthy.failures, "; ".join(snap.healthy.failures.values()))


def stretched(workload: Workload, factor: float) -> Workload:
    """Return the workload with every threshold moved: above 1 an alert is harder to fire, below 1 easier.

    Where a rule compares with the healthy days, a factor below 1 shrinks what it allows above them and not all of it:
    an error of 1.00 times the healthy one is no near miss of 1.25.
    """
    rules = {
        name: 1 + factor * (value - 1) if name.endswith("_ratio") and factor < 1 else factor * value
        for name, value in workload.rules.model_dump().items()
    }
    return workload.model_copy(update={"rules": type(workload.rules)(**rules)})


def _margins(trial: Trial, incident: Incident) -> None:
    with trial.step("alerts clear their thresholds") as proved:
        seen = incident.observer()
        fired = {alert.rule: alert for alert in alerts.evaluate(seen)}
        firm = {a.rule for a in alerts.evaluate(seen.under(stretched(seen.workload, 1 + MARGIN)))}
        near = alerts.evaluate(seen.under(stretched(seen.workload, 1 - MARGIN)))
        proved(True, "")
        for rule, alert in fired.items():
            close = "" if rule in firm else f", less than {MARGIN:.0%} beyond it"
            proved(rule in firm, f"{_measured(alert)}{close}")
        for alert in near:
            proved(
                alert.rule in fired,
                "" if alert.rule in fired else f"{_measured(alert)} at {1 - MARGIN:.0%}: nearly fires",
            )


def _measured(alert: Alert) -> str:
    return f"{alert.rule} {alert.observed:.3g} against {alert.threshold:.3g}"


def _evidence(trial: Trial, incident: Incident) -> None:
    with trial.step("the evidence is there and tells it apart") as proved:
        truth = incident.sealed.truth
        broken = store.read(incident.paths.broken, Evidence)
        healthy = incident.origin.healthy
        missing = [s for s in (*truth.supporting, *truth.discriminating) if s not in broken.facts]
        proved(not missing, f"not measurable: {', '.join(missing)}" if missing else "")
        proved(not broken.failures, "; ".join(broken.failures.values()))
        shown = Shown(
            truth=truth, runtime=trial.stand.runtime, commit=_commit(trial.settings.root), brief=incident.brief,
            healthy=healthy.facts, broken=broken.facts,
        )  # fmt: skip
        store.write(
            trial.settings.proofs / f"{trial.stand.workload}-{trial.name}-{trial.seed}.json", shown, private=True
        )
        moved = [s for s in truth.discriminating if broken.facts.get(s) != healthy.facts.get(s)]
        proved(bool(moved) or not truth.needs_change, f"moved by the fault: {', '.join(moved) or 'nothing'}")


def _commit(root: Path) -> str:
    """Return the commit of the project's own code; empty where it is no checkout."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""


def _readable(incident: Incident) -> Iterator[tuple[str, str]]:
    """Everything that a learner can read as text, with its name."""
    for root in (incident.paths.root, incident.paths.system.resolve()):
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.stat().st_size < 5_000_000:  # noqa: PLR2004 no text that a person reads is larger
                yield str(path.relative_to(root)), path.read_text(encoding="utf-8", errors="replace")
    for service in ("mlflow", "serving"):
        yield f"log of {service}", incident.stack.logs(service, 2000)
        yield f"environment of {service}", incident.stack.run(service, ["env"]).out
    yield "history", "\n".join(f"{entry.subject} {entry.author}" for entry in incident.workspace.log(100))


def _leaks(trial: Trial, incident: Incident) -> None:
    with trial.step("nothing readable names the truth") as proved:
        truth = incident.sealed.truth
        words = {truth.scenario, truth.remedy, "fault.py", incident.sealed.nonce}
        for item in truth.faults:
            words |= {item.cause, item.mechanism.sentence}
        pattern = re.compile(
            "|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in sorted(words)), re.IGNORECASE
        )
        # A template lists no causes, and the seed's hash is public; everything else that matches is a leak.
        found = [
            f"{name}: {match.group(0)[:60]}" for name, text in _readable(incident) if (match := pattern.search(text))
        ]
        proved(not found, "; ".join(found[:4]) or "files, logs, environments and history are clean")


class Restore:
    """Puts workspace, registry and data back to the broken state, so that the next remedy starts from it."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.aliases = incident.stack.registry.aliases()
        self.base = incident.stack.workspace.head()
        self.dead = any(alert.rule == alerts.UNANSWERED for alert in incident.brief.alerts)
        self.data, self.kept = incident.stack.home / "data", incident.paths.sealed / "data"
        mirror(self.data, self.kept, *LIVE)

    def __call__(self, *, deploy: bool) -> None:
        """Restore the broken state. Without `deploy`, the last remedy still serves.

        Everything is up afterwards, save for an API that does not come up in the broken state either.
        """
        stack = self.incident.stack
        stack.up(["mlflow"] if self.dead else ["mlflow", "serving"])
        self.incident.workspace.restore(self.base)
        mirror(self.kept, self.data, *LIVE)
        for alias, version in self.aliases.items():
            if stack.registry.aliases().get(alias) != version:
                stack.registry.move_alias(alias, version)
        if deploy and self.dead:
            stack.down(["serving"], forget=True)
            bring_up(stack, dead=True)
        elif deploy:
            stack.deploy()


def _fixes(trial: Trial, incident: Incident) -> Bundle | None:
    """Try no remedy, every wrong one, the right one, and that on a stopped service. Returns the right one's bundle."""
    reference, decoys = scenario.fixes(trial.name, own=trial.ground is not None)
    truth = incident.sealed.truth
    restore = Restore(incident)
    text = render(trial, incident, answers.REFERENCE)
    if truth.needs_change:
        with trial.step("doing nothing fails") as proved:
            verdict, _ = _grade(trial, incident, text, thorough=False)
            proved(_fails(verdict), _summary(verdict))
    for fix, following in itertools.pairwise((*decoys, reference)):
        with trial.step(f"wrong remedy fails: {fix.name}") as proved:
            fix.apply(incident.stack, truth)
            # The probe deploys what was committed, so it is not deployed before: it must fail by what it does. What
            # is not deployed has to hold as it stands.
            verdict, _ = _grade(trial, incident, text, live=not fix.deploys, thorough=False)
            proved(_fails(verdict), f"{_summary(verdict)}; {fix.why}")
        with refuted(trial, f"the broken state comes back after: {fix.name}"):
            restore(deploy=not following.deploys)
    good: Bundle | None = None
    with trial.step(f"right remedy and reference answer pass: {reference.name}") as proved:
        reference.apply(incident.stack, truth)
        if reference.deploys:
            incident.deploy(reference.name, trial.report, catch_up=False)
        verdict, good = _grade(trial, incident, text)
        proved(verdict.passed and verdict.score >= PASS_MARK, _summary(verdict, quoted=True))
    with trial.step("a deleted log fails") as proved:
        for path in (incident.stack.home / "data").glob("predictions.db*"):
            path.unlink()
        verdict, _ = _grade(trial, incident, text, thorough=False)
        proved(_fails(verdict), _summary(verdict))
    with trial.step("a stopped service fails") as proved:
        incident.stack.down(["serving"])
        verdict, _ = _grade(trial, incident, text, thorough=False)
        proved(_fails(verdict), _summary(verdict))
    return good


@contextmanager
def refuted(trial: Trial, name: str) -> Iterator[None]:
    """Turn a known failure into a failed step; say nothing where there is none."""
    try:
        yield
    except CrashlabError as error:
        with trial.step(name) as proved:
            proved(False, f"{error.message} {error.hint}".strip())


def _grade(
    trial: Trial, incident: Incident, text: str, *, live: bool = True, thorough: bool = True
) -> tuple[Verdict, Bundle]:
    """Measure the system as it stands and grade `text` on it, without making it a submission."""
    submission = Submission(text=text, received_at=datetime.now(UTC), sha256="0" * 64)
    bundle = incident.freeze(submission, trial.report, live=live, thorough=thorough)
    trial.report("grading")
    return grader.grade(bundle), bundle


def _fails(verdict: Verdict) -> bool:
    """Whether a verdict refutes the system: one that was not graded refutes nothing."""
    return verdict.graded and not verdict.passed


def _summary(verdict: Verdict, *, quoted: bool = False) -> str:
    """What a verdict took points for. `quoted` adds the words that an item was decided on, and what would improve it."""
    lost = [item for item in verdict.items if item.points is not None and item.points < item.max_points]
    lost.sort(key=lambda item: (item.status != "failed", item.points or 0.0))
    shown = []
    for item in lost[:3]:
        words = [item.observed, *([f"\u201c{item.quote}\u201d" if item.quote else "", item.improve] if quoted else [])]
        said = " ".join(word for word in words if word)
        shown.append(f"{item.title} {item.points:g}/{item.max_points:g}" + (f" ({said})" if said else ""))
    score = f"{verdict.score:.0f} points" if verdict.graded else f"not graded: {verdict.reason}"
    return "; ".join([score, *shown])


def render(trial: Trial, incident: Incident, file: str) -> str:
    """Fill one of the scenario's written answers for this incident."""
    broken = store.read(incident.paths.broken, Evidence)
    return answers.render(trial.folder, file, incident.sealed.truth, incident.brief, broken, incident.workload)


def shotgun(reference: str) -> str:
    """Return an answer that names every cause, in front matter and in prose."""
    known = grader.taxonomy()
    ids = [cause.id for cause in known.causes]
    rest = ", ".join(ids[1:])
    claim = f"cause: {ids[0]}\ncontributing: [{rest}]\ncomponent: serving-code\nobject: everything\nruled_out: []"
    body = reference.split("---", 2)[2]
    listed = " ".join(f"The root cause is {cause.title.lower()} in serving." for cause in known.causes)
    return f"---\n{claim}\n---\n{body}\n\n## Root cause\n{listed}\n"


def _written(trial: Trial, incident: Incident, known: scenario.Scenario, good: Bundle) -> None:
    """Hold wrong post-mortems to a system that was repaired rightly: the writing alone must fail them."""
    wrong = {
        "the empty template": good.template,
        "every cause at once": shotgun(good.submission.text),
        "an empty file": "",
        **{f"{decoy.file} ({decoy.why})": render(trial, incident, decoy.file) for decoy in known.decoys},
    }
    for name, text in wrong.items():
        with trial.step(f"wrong post-mortem fails: {name}") as proved:
            submission = good.submission.model_copy(update={"text": text})
            verdict = grader.grade(good.model_copy(update={"submission": submission}))
            proved(not verdict.passed, _summary(verdict))

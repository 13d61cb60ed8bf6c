"""A whole proof on a stand that answers by itself: a sound scenario holds, and each defect is refused and named."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from crashlab import proofs, scenario, store, verify
from crashlab.cli import authors
from crashlab.errors import StackError
from crashlab.evidence.observer import Observer, Windows
from crashlab.model import Evidence, Shown, Truth
from crashlab.settings import Settings
from crashlab.stack.fake import FakeStack
from tests.fast import grader_fixtures as fixtures
from tests.fast.test_verify import ETA, START, rows

ROOT = Path(__file__).parents[2]
NAME = "wrong-alias"
FAR, BARELY = 2.0 * ETA.rules.quality_ratio * 1.5, 2.0 * ETA.rules.quality_ratio * 1.1
"""Errors in minutes that fire the rule on quality: by far, and by a tenth of its threshold."""
NEARLY = 2.0 * (1 + 0.9 * (ETA.rules.quality_ratio - 1))
"""An error that fires nothing, but nearly."""


@dataclass
class Scene:
    """What a proof meets: a truth for each seed, and an incident of it. Tests change one thing of it."""

    folder: Path
    plan: Callable[[int], Truth]
    alerts: tuple[str, ...]
    error: float = FAR
    moved: bool = True
    healthy_mismatch: float = 0.0
    log: str = "INFO started"
    environment: str = "OMP_NUM_THREADS=1"
    subject: str = "Tidy the request glue"
    file: str = "Order | minutes"
    failure: str = ""
    left: tuple[str, ...] = ()
    begun: list[int] = field(default_factory=list)

    def start(self, *_: object, seed: int, **__: object) -> Any:
        """Stand in for `starting.start`."""
        self.begun.append(seed)
        if self.failure:
            raise StackError(self.failure, "Start it again.")
        truth = self.plan(seed)
        paths = SimpleNamespace(
            root=self.folder / "incident", sealed=self.folder / "sealed", system=self.folder / "system",
            broken=self.folder / "broken.json",
        )  # fmt: skip
        for path in (paths.root, paths.sealed, paths.system):
            path.mkdir(exist_ok=True)
        (paths.system / "notes.md").write_text(self.file)
        named = (*truth.supporting, *truth.discriminating)
        facts = dict.fromkeys(named, 1.0) | {"parity mismatch": self.healthy_mismatch}
        shown = facts | {name: 2.0 for name in truth.discriminating if self.moved}
        store.write(paths.broken, Evidence(phase="broken", taken_at=START, facts=shown))
        brief = fixtures.bundle("unit-mismatch", "").brief
        fired = brief.alerts[0]
        entry = SimpleNamespace(subject=self.subject, author="Ada")
        return SimpleNamespace(
            sealed=SimpleNamespace(truth=truth, nonce="0123abcd"), paths=paths, observer=self.observer,
            brief=brief.model_copy(update={"alerts": tuple(fired.model_copy(update={"rule": rule}) for rule in self.alerts)}),
            origin=SimpleNamespace(alerts=(), healthy=Evidence(phase="healthy", taken_at=START, facts=facts)),
            workspace=SimpleNamespace(log=lambda _: [entry]),
            stack=SimpleNamespace(
                logs=lambda *_: self.log, run=lambda *_: SimpleNamespace(out=self.environment)
            ),
        )  # fmt: skip

    def observer(self) -> Observer:
        """Return what is seen of two days, one healthy and one with the error."""
        seen = Observer(FakeStack(self.folder), ETA, Windows((START, START), (START, START)))
        before, now = rows(144, 2.0), rows(144, self.error, first=144)
        labels = {row.entity: 20.0 + i % 60 for part in (before, now) for i, row in enumerate(part)}
        seen.__dict__.update(now=now, before=before, labels=labels)
        return seen

    def proof(self, seed: int = 1) -> verify.Matrix:
        """Prove all that every seed is held to."""
        stand = SimpleNamespace(
            settings=Settings(root=ROOT, home=self.folder), workload="eta", runtime="embedded", system=self.folder, weeks=0,
            reset=lambda _: None, leftovers=lambda: list(self.left),
        )  # fmt: skip
        return verify.verify(stand, NAME, seed, lambda _: None, whole=False)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    plan = scenario.plan
    made = Scene(tmp_path, lambda seed: plan(NAME, seed), scenario.load(ROOT / "scenarios", NAME).alerts)
    monkeypatch.setattr(verify, "start", made.start)
    monkeypatch.setattr(scenario, "plan", lambda _, seed, __=None: made.plan(seed))
    return made


def test_a_sound_scenario_holds(scene: Scene) -> None:
    found = scene.proof()
    assert found.passed, [step for step in found.steps if not step.passed]
    assert "alerts clear their thresholds" in {step.name for step in found.steps}


TRUTH = scenario.plan(NAME, 1)
LEAK = "nothing readable names the truth"


def test_a_proof_leaves_what_the_scenario_showed(scene: Scene, tmp_path: Path) -> None:
    scene.proof(seed=3)
    (path,) = (tmp_path / "proofs").iterdir()
    shown = store.read(path, Shown)
    assert shown.truth == scene.plan(3)
    assert set(shown.broken) == set(shown.healthy) > set()
    assert shown.broken != shown.healthy


def one_truth(seed: int) -> Truth:
    """Give every seed the same fault, at another hour."""
    return TRUTH.model_copy(update={"seed": seed, "onset": TRUTH.onset + timedelta(hours=seed % 5)})


@pytest.mark.parametrize(
    ("change", "step", "said"),
    [
        ({"log": f"WARN {TRUTH.cause} injected"}, LEAK, f"log of mlflow: {TRUTH.cause}"),
        ({"environment": f"CRASH={TRUTH.scenario}"}, LEAK, f"environment of mlflow: {TRUTH.scenario}"),
        ({"subject": f"Inject {TRUTH.cause}"}, LEAK, f"history: {TRUTH.cause}"),
        ({"file": TRUTH.mechanism.sentence.upper()}, LEAK, "notes.md: "),
        ({"file": "nonce 0123abcd"}, LEAK, "notes.md: 0123abcd"),
        (
            {"failure": "The incident did not take effect: no alert fired."},
            "the injection fires its alerts", "The incident did not take effect: no alert fired.",
        ),
        ({"alerts": ("prediction-quality",)}, "the injection fires its alerts", "stayed silent: prediction-shift"),
        (
            {"alerts": ("prediction-quality", "prediction-shift", "latency")},
            "the injection fires its alerts", "fired unasked: latency",
        ),
        ({"moved": False}, "the evidence is there and tells it apart", "moved by the fault: nothing"),
        ({"plan": one_truth}, "one seed repeats, several differ", "1 truths from 12 seeds, the onset apart"),
        ({"error": BARELY}, "alerts clear their thresholds", "prediction-quality 2.75 against 2.5, less than 20% beyond it"),
        ({"error": NEARLY}, "alerts clear their thresholds", "nearly fires"),
        ({"healthy_mismatch": 0.1}, "the healthy system shows nothing wrong", "parity mismatch 0.1"),
        ({"left": ("a running service",)}, "the next scenario begins clean", "left behind: a running service"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_defect_is_refused_by_the_step_that_is_for_it(
    scene: Scene, change: dict[str, Any], step: str, said: str
) -> None:
    for name, value in change.items():
        setattr(scene, name, value)
    found = scene.proof()
    assert not found.passed
    assert {each.name for each in found.steps if not each.passed} == {step}
    assert said in next(each.detail for each in found.steps if each.name == step)


def test_a_plan_that_does_not_repeat_is_refused(scene: Scene) -> None:
    count = iter(range(10_000))
    scene.plan = lambda _: scenario.fault(NAME).plan(random.Random(next(count)))
    failed = [step for step in scene.proof().steps if not step.passed]
    assert [step.name for step in failed] == ["one seed repeats, several differ"]
    assert failed[0].detail == "two plans of seed 1 differ"


@pytest.mark.parametrize(
    ("part", "said"), [("cause", "gremlins is not in the taxonomy"), ("component", "gremlins is no component")]
)
def test_a_truth_in_words_of_its_own_is_refused(scene: Scene, part: str, said: str) -> None:
    plan = scene.plan
    scene.plan = lambda seed: plan(seed).model_copy(update={part: "gremlins"})
    failed = [step for step in scene.proof().steps if not step.passed]
    assert [(step.name, step.detail) for step in failed] == [("one seed repeats, several differ", said)]


def test_every_seed_is_held_to_the_margin_and_one_that_misses_it_refuses_the_scenario(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Further seeds leave out remedies and answers, and nothing of what the numbers of the incident decide."""

    def prove(settings: object, chosen: object, seeds: range, *_: object, **__: object) -> list[verify.Matrix]:
        found = []
        for seed in seeds:
            scene.error = BARELY if seed == 3 else FAR
            found.append(scene.proof(seed))
        return found

    monkeypatch.setattr(proofs, "prove", prove)
    with pytest.raises(typer.Exit) as ended:
        authors.verify([NAME], runtime="embedded", seed=1, seeds=3)
    assert ended.value.exit_code == 1
    assert scene.begun == [1, 2, 3]
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "2 of 3 hold" in shown
    assert "less than 20% beyond it" in shown
    scene.begun.clear()
    authors.verify([NAME], runtime="embedded", seed=1, seeds=2)
    assert scene.begun == [1, 2]


def test_a_rule_that_there_is_not_is_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    load = scenario.load
    misspelt = {"alerts": ("prediction-quality", "prediction-drift")}
    monkeypatch.setattr(scenario, "load", lambda *where: load(*where).model_copy(update=misspelt))
    step = next(step for step in scene.proof().steps if step.name == "the folder is complete")
    assert not step.passed
    assert "no such rule: prediction-drift" in step.detail

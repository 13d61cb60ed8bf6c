"""The catalogue: what a scenario's folder says publicly, and its fault and fixes as modules, loaded when needed."""

import importlib
import itertools
import random
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from pydantic import Field, ValidationError, field_validator

from crashlab.errors import UsageError
from crashlab.fault import Fault, Fix, OwnTableFault
from crashlab.model import DistractorKind, Frozen, Ground, Identifier, RuntimeName, Truth
from crashlab.stack.base import Stack


class Hint(Frozen):
    """Help in steps: each costs `cost` points of the score."""

    cost: float = Field(ge=0, le=20)
    text: str


class Decoy(Frozen):
    """A wrong post-mortem in `answers/`, with the reason why it is wrong."""

    file: str
    why: str


class Source(Frozen):
    """A paper, documentation page or public thread that shows that the failure is real."""

    title: str
    url: str


def in_tiers(hints: tuple[Hint, ...]) -> tuple[Hint, ...]:
    """Return the hints. Raises ValueError where one costs less than the one before."""
    if any(later.cost < earlier.cost for earlier, later in itertools.pairwise(hints)):
        raise ValueError("a later hint costs less than an earlier one")
    return hints


Need = Literal["cpu-quota", "memory-limit", "python"]
"""What only containers have: a share of the processors, a limit of memory, another Python."""

Status = Literal["proved", "draft"]
"""Whether the proof was repeated on five seeds. Blind draws, lists and `verify --all` leave drafts out unless asked."""


class OwnTable(Frozen):
    """That a scenario runs on workloads of a person's own tables, and what of it is said otherwise there."""

    alerts: tuple[Identifier, ...] = Field(min_length=1)
    """Rules that fire on every table; which others do is measured on the table."""
    decoys: tuple[Decoy, ...] = Field(min_length=3)
    title: str = ""
    """Empty where the scenario's own title fits."""
    hints: tuple[Hint, ...] = ()
    """Empty where the scenario's own hints fit."""

    @field_validator("hints")
    @classmethod
    def _in_tiers(cls, hints: tuple[Hint, ...]) -> tuple[Hint, ...]:
        return in_tiers(hints)


class Scenario(Frozen):
    """What `scenario.toml` holds. Nothing in it depends on the seed."""

    name: Identifier
    title: str
    """What a learner reads; it does not name the cause."""
    level: int = Field(ge=1, le=5)
    """1: one place to look; 3: several causes fit the alerts; 5: two faults at once."""
    workload: Identifier
    family: Identifier
    """Family of the cause in the taxonomy; `--family` draws by it."""
    looks_like: Identifier
    """Family of look-alikes: its scenarios have one workload, fire the same alerts and are told apart by evidence."""
    status: Status = "draft"
    practises: str
    goals: tuple[str, ...] = Field(min_length=2)
    """What a learner can do afterwards."""
    minutes: int = Field(gt=0)
    needs: tuple[Need, ...] = ()
    """What the fault cannot do without; a scenario with a need runs on Compose alone."""
    alerts: tuple[Identifier, ...] = Field(min_length=1)
    """Rules that fire, for `crashlab verify` to hold the injection to; a truth with `alerts` says which of them do."""
    without: tuple[DistractorKind, ...] = ()
    """Kinds of distractors that would be no distraction here: the fault does the same, or would look different beside it."""
    hints: tuple[Hint, ...] = Field(min_length=3)
    """From a question to a place; each costs at least as much as the one before."""
    decoys: tuple[Decoy, ...] = Field(min_length=3)
    sources: tuple[Source, ...] = Field(min_length=1)
    own_table: OwnTable | None = None
    """Present where it runs on workloads of a person's own tables as well; its `own_table.py` does it there."""

    def on(self, workload: str) -> "Scenario":
        """Return what is said of it on a workload of a person's own table. Raises UsageError where it does not run on one."""
        if workload == self.workload:
            return self
        if self.own_table is None:
            raise UsageError(
                f"{self.name} does not run on {workload}: it belongs to what {self.workload} means.",
                f"See `crashlab list --workload {workload}`.",
            )
        own = self.own_table
        changed = {"workload": workload, "alerts": own.alerts, "decoys": own.decoys}
        changed |= {"title": own.title} if own.title else {}
        changed |= {"hints": own.hints} if own.hints else {}
        return self.model_copy(update=changed)

    @property
    def proved(self) -> bool:
        """Whether its proof held on five seeds."""
        return self.status == "proved"

    @property
    def runtimes(self) -> tuple[RuntimeName, ...]:
        """Where it runs."""
        return ("compose",) if self.needs else ("embedded", "compose")

    @field_validator("hints")
    @classmethod
    def _in_tiers(cls, hints: tuple[Hint, ...]) -> tuple[Hint, ...]:
        return in_tiers(hints)


def names(folder: Path) -> list[str]:
    """Scenario names in the catalogue, sorted."""
    return sorted(p.parent.name for p in folder.glob("*/scenario.toml") if not p.parent.name.startswith("_"))


def load(folder: Path, name: str) -> Scenario:
    """Read one scenario. Raises UsageError where it does not exist or is not valid."""
    path = folder / name / "scenario.toml"
    if name.startswith("_") or "/" in name or not path.is_file():
        raise UsageError(f"There is no scenario {name!r}.", f"Choose one of: {', '.join(names(folder))}.")
    try:
        scenario = Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"scenario.toml of {name} is not valid TOML: {error}", "Mend the file.") from error
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise UsageError(f"scenario.toml of {name} is not valid: {found}.", "Mend the file.") from error
    if scenario.name != name:
        raise UsageError(f"scenario.toml of {name} names itself {scenario.name}.", "Give both the same name.")
    return scenario


def catalogue(folder: Path) -> list[Scenario]:
    """Every scenario, by level and name."""
    return sorted((load(folder, name) for name in names(folder)), key=lambda s: (s.level, s.name))


def draft_note(found: Sequence[Scenario]) -> str:
    """Say in one line which of these scenarios are drafts; empty where none is."""
    drafts = [item.name for item in found if not item.proved]
    if not drafts:
        return ""
    one = len(drafts) == 1
    told = f"{', '.join(drafts)} {'is a draft' if one else 'are drafts'}"
    return f"{told}: {'its proof was' if one else 'their proofs were'} not repeated on five seeds.\n"


def without_drafts(found: Sequence[Scenario], asked: str = "") -> list[Scenario]:
    """Return the scenarios that are proved. Raises UsageError where all of them are drafts; `asked` says of what."""
    kept = [item for item in found if item.proved]
    if found and not kept:
        raise UsageError(
            f"All scenarios{asked and f' for {asked}'} are drafts; give --drafts to take them as they are.",
            "See `crashlab list --drafts`.",
        )
    return kept


def module_name(name: str) -> str:
    """Import name of a scenario's package: hyphens are not allowed in one, so folders are imported by path."""
    return f"scenarios.{name}"


def fault(name: str) -> Fault:
    """Return the scenario's `fault.py`."""
    return cast("Fault", importlib.import_module(f"{module_name(name)}.fault"))


def own_table(name: str) -> OwnTableFault:
    """Return the scenario's `own_table.py`, which does on a person's own table what `fault.py` and the fixes do."""
    return cast("OwnTableFault", importlib.import_module(f"{module_name(name)}.own_table"))


def fixes(name: str, *, own: bool = False) -> tuple[Fix, tuple[Fix, ...]]:
    """Return the reference fix and the decoy fixes of `answers/fixes.py`, or those for a person's own table."""
    if own:
        return own_table(name).REFERENCE, tuple(own_table(name).DECOYS)
    module = importlib.import_module(f"{module_name(name)}.answers.fixes")
    return module.REFERENCE, tuple(module.DECOYS)


def plan(name: str, seed: int, ground: Ground | None = None) -> Truth:
    """Draw the truth of a scenario for a seed, on a person's own table where its ground is given. Pure.

    Raises UsageError where nothing that the scenario could change is felt on that table.
    """
    rng = random.Random(f"{name}:{seed}")
    return fault(name).plan(rng) if ground is None else own_table(name).plan_on(rng, ground)


def of(folder: Path, truth: Truth) -> Scenario:
    """Return what is said publicly of the scenario that a truth was drawn for, on its workload."""
    found = load(folder, truth.scenario)
    return found.on(truth.workload) if truth.own_alerts else found


def fires(known: Scenario, truth: Truth) -> tuple[Identifier, ...]:
    """Return the rules that the fault of a truth fires by itself."""
    return truth.own_alerts or truth.alerts or known.alerts


def inject(stack: Stack, truth: Truth) -> None:
    """Put the fault of a truth into a stack."""
    (own_table(truth.scenario) if truth.own_alerts else fault(truth.scenario)).inject(stack, truth)


def playable(found: Sequence[Scenario], ground: Ground) -> tuple[list[Scenario], dict[str, str]]:
    """Split scenarios by whether they run on a person's own table: those that do, as told there, and the others' reasons."""
    able, refused = [], {}
    for item in found:
        try:
            able.append(item.on(ground.workload))
            plan(item.name, 0, ground)
        except UsageError as error:
            able = [one for one in able if one.name != item.name]
            refused[item.name] = error.message
    return able, refused

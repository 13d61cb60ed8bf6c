"""Harmless things that every incident shows beside its fault, and when its commits were made.

Real incidents come amid ordinary work. Two distractors are drawn by the seed out of the pool of the workload, which is
data: `training/<workload>/distractors.toml`. The kinds are

    commit      a commit that touches what faults touch, and changes nothing
    warning     serving's pin of a library goes to a neighbouring release: its log holds warnings, its answers are the same
    drift       a request column that carries no weight in the model moves
    deploy      a second release within the replayed window, of one more ordinary commit
    burst       clients' requests are held back and then sent by many at once, until some hours before the present

Every incident shows the same number of commits from before its onset, the fault's own among them if it has any, at moments
that do not depend on what they change.
"""

import itertools
import json
import random
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, ValidationError

from crashlab.errors import UsageError
from crashlab.model import Distractor, DistractorKind, Frozen, Identifier, Truth
from crashlab.stack.base import Commit, Edit, Stack, Workspace

FIRES: dict[DistractorKind, tuple[Identifier, ...]] = {
    "commit": (),
    "warning": ("log-warnings",),
    "drift": ("column-drift",),
    "deploy": (),
    "burst": ("latency",),
}
"""Rules that each kind fires."""
LOUD_RULES = frozenset(itertools.chain.from_iterable(FIRES.values()))
"""Rules that a harmless thing may have fired."""
DRAWN = 2
"""Distractors of an incident."""
LOUD = 2
"""Of LOUD_RULES, an incident shows so many at most, its fault's own among them: where the fault itself is slow, for instance, a
warning and a drift together would tell it from the incidents that are slow by a distractor."""
COMMITS = 6
"""Commits from before the onset that an incident shows."""
SPAN, NEWEST = timedelta(hours=26), timedelta(minutes=4)
"""How long before the onset these commits were made: at most, and at least."""


class Passage(Frozen):
    """One replacement in one file of the workspace."""

    path: str
    before: str
    after: str


class Ordinary(Frozen):
    """A commit that changes no behaviour; its date is set when it is used."""

    message: str
    author: str
    edit: tuple[Passage, ...] = Field(min_length=1)
    relock: tuple[str, ...] = ()

    @property
    def commit(self) -> Commit:
        """The commit, without a date."""
        edits = tuple(Edit(passage.path, passage.before, passage.after) for passage in self.edit)
        return Commit(self.message, edits, self.author, "", self.relock)


class Repin(Ordinary):
    """The commit that pins another release of a library, with the release that the model was trained with."""

    package: str
    trained: str
    served: str


class Move(Frozen):
    """A column without weight, how it moves and by how much: `add` or `scale`, by `low` to `high`."""

    column: str
    how: Literal["add", "scale"]
    low: float
    high: float


class Later(Frozen):
    """A second release: which part of the replayed window has passed by then, `low` to `high`."""

    low: float = Field(gt=0, lt=1)
    high: float = Field(gt=0, lt=1)


class Burst(Frozen):
    """Requests that are held for `held_s` seconds and then sent by many `clients` at once.

    It lasts from the onset on for `low` to `high` of the replayed window.
    """

    clients: int = Field(gt=1)
    held_s: float = Field(gt=0)
    notice: str
    """What was done to the gateway, for every timeline: a line that only such incidents had would give them away."""
    low: float = Field(gt=0, lt=1)
    high: float = Field(gt=0, lt=1)


class Pool(Frozen):
    """What the distractors of a workload are drawn from. A kind that is not there is never drawn."""

    commit: tuple[Ordinary, ...] = ()
    suspect: tuple[Ordinary, ...] = ()
    """Commits of the kind `commit`; ordinary ones take their place where there are none."""
    warning: tuple[Repin, ...] = ()
    drift: tuple[Move, ...] = ()
    deploy: Later | None = None
    burst: Burst | None = None

    @property
    def kinds(self) -> tuple[DistractorKind, ...]:
        """The kinds that can be drawn."""
        return tuple(kind for kind in FIRES if getattr(self, kind))

    @property
    def commits(self) -> tuple[Commit, ...]:
        """Every commit that an incident may show beside its fault's own."""
        return tuple(entry.commit for entry in (*self.commit, *self.suspect, *self.warning))


def load(root: Path, workload: str) -> Pool:
    """Read the pool of a workload. Raises UsageError with every error where the file is not valid."""
    path = root / "training" / workload / "distractors.toml"
    try:
        return Pool.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path.name} of workload {workload} is not valid: {error}", "Mend the file.") from error


def pairs(
    kinds: Sequence[DistractorKind], alerts: Collection[Identifier], without: Collection[DistractorKind]
) -> list[tuple[DistractorKind, ...]]:
    """Return the draws that an incident may get, each as likely as any other.

    `alerts` are the rules that its fault fires: a kind that fires one of them would hide behind it. `without` are further
    kinds to leave out. Where fewer than DRAWN kinds are left, commits take their place.
    """
    left = [kind for kind in kinds if kind not in without and not set(FIRES[kind]) & set(alerts)]
    own = LOUD_RULES & set(alerts)
    found: list[tuple[DistractorKind, ...]] = [
        pair for pair in itertools.combinations(left, DRAWN) if len(own.union(*(FIRES[kind] for kind in pair))) <= LOUD
    ]
    if not found:
        found = [("commit", "commit")]
    return found


def draw(
    pool: Pool,
    truth: Truth,
    end: datetime,
    alerts: Collection[Identifier],
    without: Collection[DistractorKind] = (),
) -> Truth:
    """Return the truth with its distractors. The same truth gets the same ones.

    `end` is the end of what is replayed. `alerts` and `without` are what `pairs` takes them for.
    """

    def moment(low: float, high: float) -> datetime:
        found = truth.onset + rng.uniform(low, high) * (end - truth.onset)
        return found.replace(second=0, microsecond=0)

    rng = random.Random(f"distractors:{truth.seed}")
    commits = [*(pool.suspect or pool.commit)]
    rng.shuffle(commits)
    found = []
    for kind in rng.choice(pairs(pool.kinds, alerts, without)):
        parameters: dict[str, Any] = {}
        if kind == "commit" and commits:
            parameters = {"message": commits.pop().message}
        elif kind == "warning":
            pin = rng.choice(pool.warning)
            parameters = pin.model_dump(include={"message", "package", "trained", "served"})
        elif kind == "drift":
            move = rng.choice(pool.drift)
            amount = round(rng.uniform(move.low, move.high), 2)
            parameters = {"column": move.column, "how": move.how, "amount": amount}
        elif kind == "deploy" and pool.deploy:
            shipped = rng.choice(pool.commit)
            at = moment(pool.deploy.low, pool.deploy.high)
            parameters = {"message": shipped.message, "at": at.isoformat()}
        elif kind == "burst" and pool.burst:
            until = moment(pool.burst.low, pool.burst.high)
            parameters = {"clients": pool.burst.clients, "held_s": pool.burst.held_s, "until": until.isoformat()}
        found.append(Distractor(kind=kind, alerts=FIRES[kind], parameters=parameters))
    return truth.model_copy(update={"distractors": tuple(found)})


def alerts(truth: Truth) -> set[Identifier]:
    """Return the rules that the distractors of a truth fire."""
    return {rule for item in truth.distractors for rule in item.alerts}


def forecast(truth: Truth, world: dict[str, Any]) -> dict[str, Any]:
    """Return what `traffic.json` says of the world, with the distractors of a truth in it."""
    changed = dict(world)
    for item in truth.distractors:
        if item.kind == "drift":
            move = {str(item.parameters["how"]): item.parameters["amount"], "from": truth.onset.isoformat()}
            changed["adjust"] = {**changed.get("adjust", {}), str(item.parameters["column"]): move}
        elif item.kind == "burst":
            changed["burst"] = {"from": truth.onset.isoformat(), **item.parameters}
    return changed


def foresee(data: Path, truth: Truth) -> None:
    """Write the distractors of a truth into the forecast in the data folder, beside what the fault says there."""
    path = data / "traffic.json"
    world = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if changed := forecast(truth, world):
        path.write_text(json.dumps(changed), encoding="utf-8")


def releases(truth: Truth) -> list[tuple[datetime, str]]:
    """Return when further releases were shipped after the onset, each with the message of the commit that it brought."""
    return [
        (datetime.fromisoformat(str(item.parameters["at"])), str(item.parameters["message"]))
        for item in truth.distractors
        if item.kind == "deploy"
    ]


def shipped(pool: Pool, truth: Truth, at: datetime, message: str) -> Commit:
    """Return the commit of a further release, made within the hour before it."""
    minutes = random.Random(f"release:{truth.seed}").randint(6, 50)
    (entry,) = (entry for entry in pool.commit if entry.message == message)
    return replace(entry.commit, when=(at - timedelta(minutes=minutes)).astimezone(UTC).isoformat())


@dataclass(frozen=True)
class Surroundings:
    """The commits around a fault's own: those before it, those that may follow it, and when each one is made."""

    before: tuple[Commit, ...]
    rest: tuple[Commit, ...]
    drawn: frozenset[str]
    """Messages of the commits that were drawn as distractors."""
    moments: tuple[datetime, ...]

    def after(self, made: int) -> list[Commit]:
        """Return the commits that follow, where the fault made some of its own: ordinary ones give way to these."""
        found = list(self.rest)
        while len(self.before) + made + len(found) > COMMITS:
            ordinary = [commit for commit in found if commit.message not in self.drawn]
            if not ordinary:
                break
            found.remove(ordinary[-1])
        return found


def surround(pool: Pool, truth: Truth) -> Surroundings:
    """Draw the commits around a fault's own, and the moments of all of them."""
    rng = random.Random(f"commits:{truth.seed}")
    later = {message for _, message in releases(truth)}
    messages = {str(item.parameters["message"]) for item in truth.distractors if "message" in item.parameters} - later
    drawn = [entry for entry in (*pool.suspect, *pool.warning, *pool.commit) if entry.message in messages]
    others = [entry for entry in pool.commit if entry.message not in messages | later]
    ordinary = rng.sample(others, min(max(COMMITS - len(drawn), 0), len(others)))
    # The last one gives way to a commit of the fault, so it is an ordinary one.
    early = [*drawn, *ordinary[1:]]
    rng.shuffle(early)
    commits = tuple(entry.commit for entry in [*early, *ordinary[:1]])
    place = rng.randrange(COMMITS)
    minutes = range(NEWEST // timedelta(minutes=1), SPAN // timedelta(minutes=1))
    ago = sorted(rng.sample(minutes, COMMITS), reverse=True)
    moments = tuple(truth.onset - timedelta(minutes=each) for each in ago)
    return Surroundings(commits[:place], commits[place:], frozenset(entry.message for entry in drawn), moments)


class DatedWorkspace:
    """A workspace whose commits are made at given moments, whatever dates they ask for; later ones a minute after."""

    def __init__(self, workspace: Workspace, moments: Sequence[datetime]) -> None:
        self._workspace = workspace
        self._moments = _going_on(moments)
        self.made = 0

    def commit(self, change: Commit) -> str:
        """Commit a change at the next moment; returns the new commit's hash."""
        made = self._workspace.commit(replace(change, when=next(self._moments).astimezone(UTC).isoformat()))
        self.made += 1
        return made

    def __getattr__(self, name: str) -> Any:
        """Return whatever else a workspace has."""
        return getattr(self._workspace, name)


class _Dated:
    """A stack with a workspace that is dated."""

    def __init__(self, stack: Stack, workspace: DatedWorkspace) -> None:
        self._stack = stack
        self.workspace = workspace

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stack, name)


def dated(stack: Stack, workspace: DatedWorkspace) -> Stack:
    """Return the stack with that workspace."""
    return cast("Stack", _Dated(stack, workspace))


def _going_on(moments: Sequence[datetime]) -> Iterator[datetime]:
    yield from moments
    for count in itertools.count(1):
        yield moments[-1] + timedelta(minutes=count)

"""From a name or a blind draw to a paged learner: restore a healthy system, break it, and write the brief."""

import json
import random
import secrets
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

import grader
from crashlab import (
    alerts,
    distractors,
    drawing,
    freezing,
    hidden,
    mixes,
    past,
    scenario,
    snapshot,
    sources,
    store,
    timeline,
    workload,
)
from crashlab.errors import CrashlabError, NotReady, StackError, UsageError
from crashlab.evidence import figures
from crashlab.incident import Incident, commitment, identifiers, open_stack
from crashlab.mixes import MixName
from crashlab.model import Brief, Ground, RuntimeName, Truth
from crashlab.records import Deployment, Paths, Record, Sealed
from crashlab.settings import Settings
from crashlab.stack.base import Report, Stack, job, silent
from crashlab.tables import ground as grounds
from crashlab.workspace import GitWorkspace


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

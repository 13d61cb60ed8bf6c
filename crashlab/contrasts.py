"""Making the table of what tells causes apart from what proofs have left, and showing a scenario's part of it."""

import json
from collections.abc import Sequence
from pathlib import Path

from crashlab import distractors, scenario, store
from crashlab.errors import StateError
from crashlab.model import Shown, Value
from crashlab.settings import Settings
from grader import contrast

TABLE = Path("grader") / "contrast.json"
"""Where the table is, in the project."""


def shown(settings: Settings) -> list[Shown]:
    """Return what every proof on this host has left, in the order of scenario and seed. Raises StateError where none has."""
    found = [store.read(path, Shown) for path in sorted(settings.proofs.glob("*.json"))]
    known = set(scenario.names(settings.scenarios))
    # On a person's own table there is nothing to compare with.
    kept = [each for each in found if each.truth.scenario in known and not each.truth.own_alerts]
    if not kept:
        raise StateError("No scenario was proved here yet.", "Run `crashlab verify --all --quick` first.")
    kept = [_as_meant(settings, each) for each in kept]
    return sorted(kept, key=lambda each: (each.truth.workload, each.truth.scenario, each.truth.seed))


def _as_meant(settings: Settings, each: Shown) -> Shown:
    """Leave out alerts that fired unasked, such as one over times on a busy machine: their facts are not the scenario's."""
    meant = {
        *scenario.fires(scenario.load(settings.scenarios, each.truth.scenario), each.truth),
        *distractors.alerts(each.truth),
    }
    alerts = tuple(alert for alert in each.brief.alerts if alert.rule in meant)
    return each.model_copy(update={"brief": each.brief.model_copy(update={"alerts": alerts})})


def as_text(tables: dict[str, contrast.Table]) -> str:
    """Return tables as the file that ships with the grader, one run to a line."""
    parts = []
    for name, table in tables.items():
        usual = {
            key: each.model_dump(exclude_defaults=True) | {"kind": each.kind}
            for key, each in sorted(table.usual.items())
        }
        runs = ",\n".join("  " + json.dumps(run.model_dump(), sort_keys=True) for run in table.runs)
        parts.append(f' {json.dumps(name)}: {{"usual": {json.dumps(usual, sort_keys=True)},\n "runs": [\n{runs}\n ]}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write(settings: Settings) -> Path:
    """Make the table from the proofs of this host and write it into the project."""
    path = settings.root / TABLE
    store.write_text(path, as_text(contrast.make(shown(settings))))
    contrast.load.cache_clear()
    return path


def moved(name: str) -> dict[int, dict[str, Value]]:
    """Return the facts that moved in a scenario, by the seed of its truth, from the table that ships with the grader."""
    return {run.seed: run.moved for table in contrast.load().values() for run in table.runs if run.scenario == name}


def rows(found: Sequence[dict[str, Value]]) -> list[tuple[str, int, str]]:
    """Return each fact that moved on some seed, on how many it did, and how it is told on the first of those."""
    keys = sorted({key for run in found for key in run})
    having = {key: [run[key] for run in found if key in run] for key in keys}
    told = {key: values[0] if isinstance(values[0], str) else f"{values[0]:.4g}" for key, values in having.items()}
    return sorted(((key, len(having[key]), told[key]) for key in keys), key=lambda row: (-row[1], row[0]))

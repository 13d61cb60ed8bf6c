"""Something that lives as long as the process keeps an entry for every request, and nothing takes it away."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

APP, METRICS, COURIERS = "serving/app.py", "serving/metrics.py", "serving/eta/couriers.py"
_MODEL = (
    '        self.model = Gauge("model_info", "Served model.", ("name", "version", "run_id"), registry=self.registry)\n'
)
_RECORD = "                if record:\n                    self.log.add(\n"
_SELECT = '            found = connection.execute(f"SELECT * FROM couriers WHERE courier_id IN ({marks})", wanted)  # noqa: S608 marks only\n'
_RETURN = '            return {row["courier_id"]: dict(row) for row in found}\n'


@dataclass(frozen=True)
class Keeper:
    """What keeps something of every request: its name, where it is, and how to say it."""

    name: str
    file: str
    aliases: tuple[str, ...]
    phrase: str
    remedy: str
    message: str
    words: tuple[str, ...]
    edits: tuple[Edit, ...]


KEEPERS = {
    "labels": Keeper(
        "feature_value",
        METRICS,
        (METRICS, "metrics.py", "values", "feature histogram", "histogram", "label order", "labels", "metrics", "app.py", APP),
        "the histogram feature_value has the order among its labels, so every order gets histograms of its own",
        "Observe features without the order as a label",
        "Metrics: the served features, for the drift dashboard",
        ("label", "labels", "labelled", "cardinality", "histogram", "histograms", "time series", "series"),
        (
            Edit(
                METRICS,
                _MODEL,
                _MODEL
                + '        self.values = Histogram("feature_value", "Served features.", ("name", "order"), registry=self.registry)\n',
            ),
            Edit(
                APP,
                _RECORD,
                "                for name, x in vector.items():\n"
                "                    self.metrics.values.labels(name, str(raw[self.workload.ENTITY])).observe(x)\n" + _RECORD,
            ),
        ),
    ),
    "couriers": Keeper(
        "Couriers",
        COURIERS,
        (COURIERS, "couriers.py", "self.reads", "reads", "list of readings", "courier table", "couriers", "Couriers.get", "get"),
        "Couriers appends a whole copy of the courier table to a list, to compare it with the one before, and removes none",
        "Keep no reading of the courier table beyond its request",
        "Couriers: notice when the table is refreshed",
        ("list", "append", "appends", "appended", "copy", "copies", "reads", "readings", "reading", "table", "history"),
        (
            Edit(
                COURIERS,
                "        self.path = path\n",
                "        self.path = path\n        self.reads: list[dict[str, dict[str, Any]]] = []\n"
                "        self.refreshed = False\n",
            ),
            Edit(COURIERS, '        wanted = sorted(set(ids))\n        marks = ",".join("?" * len(wanted))\n', "        # The table is short: one statement serves every request.\n"),
            Edit(COURIERS, _SELECT, '            found = connection.execute("SELECT * FROM couriers")\n'),
            Edit(
                COURIERS,
                _RETURN,
                '            self.reads.append({row["courier_id"]: dict(row) for row in found})\n'
                "        self.refreshed = self.refreshed or self.reads[-1] != self.reads[-2:][0]\n"
                "        return self.reads[-1]\n",
            ),
        ),
    ),
}  # fmt: skip


def plan(rng: random.Random) -> Truth:
    """Draw what keeps the requests, and the onset."""
    seed = rng.randrange(2**31)
    kind = rng.choice(sorted(KEEPERS))
    keeper = KEEPERS[kind]
    return Truth(
        scenario="memory-leak",
        workload="eta",
        seed=seed,
        cause="memory-leak",
        component="serving-code",
        object=keeper.name,
        object_aliases=keeper.aliases,
        mechanism=Mechanism(
            sentence=(
                f"With every request {keeper.phrase}; nothing of it is ever released, so memory grows with the requests until "
                "the limit of the container ends the process."
            ),
            concepts=(
                keeper.words,
                (
                    "every request", "each request", "every order", "each order", "per request", "per order", "every batch",
                    "requests", "every set",
                ),
                (
                    "never", "released", "grows", "growth", "grow", "keeps", "kept", "unbounded", "without bound", "evicts none",
                    "evicted", "accumulate", "accumulates",
                ),
            ),
        ),
        # Early, as growth shows over many requests.
        onset=kit.onset(rng, 0, 8),
        look_alikes=("oversized-model", "mutated-cache", "capacity-shortage"),
        supporting=(
            "usage serving growth_mb",
            "usage serving window=before growth_mb",
            "usage serving memory_mb",
            "usage serving restarts",
            "limit serving memory_mb",
            "requests per_hour",
            "requests window=before per_hour",
            "latency p95_ms",
            "parity mismatch",
            "registry alias=champion version",
        ),
        discriminating=("usage serving growth_mb",),
        remedy=f"{keeper.remedy} ({keeper.file}).",
        parameters={"kind": kind, "file": keeper.file, "phrase": keeper.phrase, "remedy": keeper.remedy},
    )  # fmt: skip


def chosen(truth: Truth) -> Keeper:
    """Return what a truth was drawn for."""
    return KEEPERS[str(truth.parameters["kind"])]


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change."""
    stack.workspace.commit(kit.change(truth, chosen(truth).message, *chosen(truth).edits))

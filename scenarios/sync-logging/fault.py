"""The prediction log is written in the request, with a summary of the whole log after each row."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/prediction_log.py"


@dataclass(frozen=True)
class Summary:
    """A file beside the log that each row brings up to date, and by what it groups the log."""

    file: str
    words: str
    message: str
    groups: str


SUMMARIES = {
    "days": Summary(
        "summary.json",
        "by day and by version",
        "Prediction log: a summary that is never behind",
        'order["day"], order["version"]',
    ),
    "zones": Summary(
        "profile.json",
        "by zone and by vehicle",
        "Prediction log: rows are on disk before we answer, with a profile of the week",
        'order["zone"], order["vehicle"]',
    ),
    "weather": Summary(
        "conditions.json",
        "by weather and by city",
        "Prediction log: write at once, and keep the figures of the dashboard beside it",
        'order["weather"], order["timezone"]',
    ),
}
_ADD = '''        """Queue a row. Never waits: when the queue is full the row is dropped and counted."""
        try:
            self.rows.put_nowait(row)
        except queue.Full:
            self.dropped(1)
'''
_SUMMARISE = '''
    def _summarise(self) -> None:
        """Bring FILE up to date: how every feature was distributed, WORDS."""
        columns: dict[str, dict[str, list[float]]] = {}
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            rows = connection.execute("SELECT event_time, model_version, raw, features FROM predictions").fetchall()
        for event_time, version, raw, features in rows:
            order = json.loads(raw) | {"day": event_time[:10], "version": f"version {version}"}
            for group in (GROUPS):
                part = columns.setdefault(group, {})
                for name, value in json.loads(features).items():
                    if value is not None:
                        part.setdefault(name, []).append(value)
        told = {group: {name: describe(values) for name, values in part.items()} for group, part in columns.items()}
        draft = self.path.with_name(".FILE")
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(self.path.with_name("FILE"))
'''


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change of the log."""
    chosen = SUMMARIES[str(truth.parameters["kind"])]
    summarise = _SUMMARISE.replace("FILE", chosen.file).replace("WORDS", chosen.words).replace("GROUPS", chosen.groups)
    return (
        Edit(FILE, "import sqlite3\nimport threading\n", "import sqlite3\nimport statistics\nimport threading\n"),
        Edit(
            FILE,
            "        self.closing = threading.Event()\n",
            "        self.closing = threading.Event()\n        self.writing = threading.Lock()\n",
        ),
        Edit(
            FILE,
            _ADD,
            '        """Write a row and bring the summary up to date. Returns when both are on disk."""\n'
            "        with self.writing:\n"
            "            self._write([row])\n"
            "            self._summarise()\n"
            f"{summarise}",
        ),
        Edit(
            FILE,
            "\n\nclass PredictionLog:",
            "\n\ndef describe(values: list[float]) -> dict[str, Any]:\n"
            '    """Return mean, spread and deciles; of a single value, the value."""\n'
            "    if len(values) == 1:\n"
            '        return {"mean": values[0]}\n'
            "    return {\n"
            '        "mean": statistics.fmean(values),\n'
            '        "spread": statistics.stdev(values),\n'
            '        "deciles": statistics.quantiles(values, n=10),\n'
            "    }\n"
            "\n\nclass PredictionLog:",
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw what is summarised, and the onset."""
    seed = rng.randrange(2**31)
    kind = rng.choice(sorted(SUMMARIES))
    chosen = SUMMARIES[kind]
    return Truth(
        scenario="sync-logging",
        workload="eta",
        seed=seed,
        cause="sync-logging",
        component="serving-code",
        object="PredictionLog.add",
        object_aliases=(
            FILE, "prediction_log.py", "PredictionLog", "prediction log", "add", "log.add", "_summarise", "_write", chosen.file,
            "predictions.db", "the log",
        ),
        mechanism=Mechanism(
            sentence=(
                "PredictionLog.add writes each row in the request and, under a lock, reads the whole log back to write "
                f"{chosen.file} anew, so a request waits for its rows and for those of all others."
            ),
            concepts=(
                ("log", "prediction log", "logging", "predictions.db", "recording", "record"),
                (
                    "request path", "in the request", "synchronous", "synchronously", "before the answer", "before it answers",
                    "before answering", "request waits", "requests wait", "in the path of", "inside the request", "within the request",
                ),
                (
                    "each row", "every row", "per row", "reads the whole log", "read back", "reads back", "whole log", "rewrites",
                    "rewritten", "lock", chosen.file, "summary", "each write", "every write", "anew",
                ),
            ),
        ),
        # Late, as every slow request of the replay has to be waited for.
        onset=kit.onset(rng, 34, 40),
        look_alikes=("event-loop-blocking", "n-plus-one-lookups", "per-request-model-load"),
        supporting=(
            "latency rows=8 stage=record alone_ms",
            "latency rows=1 stage=record alone_ms",
            "latency rows=8 stage=features alone_ms",
            "latency rows=8 alone_ms",
            "latency rows=1 alone_ms",
            "latency p95_ms",
            "latency p50_ms",
            "latency health_p99_ms",
            "latency window=before p95_ms",
            "parity mismatch",
            "quality mae",
        ),
        discriminating=("latency rows=8 stage=record alone_ms", "latency rows=1 stage=record alone_ms"),
        remedy="Queue rows and write them in the background, and make the summary outside of the request path.",
        parameters={"kind": kind, "summary": chosen.file, "words": chosen.words, "file": FILE},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change of the log."""
    stack.workspace.commit(kit.change(truth, SUMMARIES[str(truth.parameters["kind"])].message, *edits(truth)))

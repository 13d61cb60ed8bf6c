"""Courier records are gathered across requests, and each row of a request waits for a lookup of its own."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
COURIERS = "serving/eta/couriers.py"
GATHER_MS = {"record": (48, 54, 60), "parts": (26, 29, 32)}
"""Milliseconds for which lookups are gathered, by what is looked up."""
MESSAGES = {
    "record": "Couriers: one query for the requests of a moment",
    "parts": "Couriers: gather lookups, and read only the columns that are asked for",
}
_GATHERER = '''

class Gatherer:
    """Looks couriers up in one query for all that is asked within a moment, whichever request asks."""

    def __init__(self, couriers: "Couriers") -> None:
        self.couriers = couriers
        self.asked: queue.Queue[tuple[str, Future[dict[str, Any]]]] = queue.Queue()
        threading.Thread(target=self._run, name="couriers", daemon=True).start()

    def one(self, courier_id: str) -> dict[str, Any]:
        """Return a courier's row, an empty one where there is none."""
        answer: Future[dict[str, Any]] = Future()
        self.asked.put((courier_id, answer))
        return answer.result(timeout=10)

    def _run(self) -> None:
        while True:
            together = [self.asked.get()]
            until = time.monotonic() + GATHER
            while (left := until - time.monotonic()) > 0:
                with suppress(queue.Empty):
                    together.append(self.asked.get(timeout=left))
            try:
                found = self.couriers.get({courier_id for courier_id, _ in together})
            except sqlite3.Error as error:
                for _, answer in together:
                    answer.set_exception(error)
            else:
                for courier_id, answer in together:
                    answer.set_result(found.get(courier_id, {}))
'''
_JOIN = (
    '        table = self.couriers.get({order["courier_id"] for order in orders})\n'
    '        frame = pd.DataFrame([self.row(order, table.get(order["courier_id"], {})) for order in orders])\n'
)


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change of the lookup and of what asks for it."""
    seconds = int(truth.parameters["gather_ms"]) / 1000
    if truth.parameters["kind"] == "record":
        asked = '        frame = pd.DataFrame([self.row(order, self.gatherer.one(order["courier_id"])) for order in orders])\n'
        parts = ""
    else:
        asked = (
            '        frame = pd.DataFrame([self.row(order, self.courier(order["courier_id"])) for order in orders])\n'
        )
        parts = '''    def courier(self, courier_id: str) -> dict[str, Any]:
        """Return what is known of a courier: how fast, and how reliable."""
        pace = columns(self.gatherer.one(courier_id), "avg_speed_kmh", "hired_on")
        record = columns(self.gatherer.one(courier_id), "deliveries_30d", "on_time_rate")
        return pace | record

'''
    made = [
        Edit(COURIERS, "import sqlite3\n", "import queue\nimport sqlite3\nimport threading\nimport time\n"),
        Edit(COURIERS, "from contextlib import closing\n", "from concurrent.futures import Future\nfrom contextlib import closing, suppress\n"),
        Edit(
            COURIERS,
            "\n\nclass Couriers:",
            f'\nGATHER = {seconds:g}\n"""Seconds within which lookups share a query."""\n{_GATHERER}\n\nclass Couriers:',
        ),
        Edit(FILE, "from serving.eta.couriers import Couriers\n", "from serving.eta.couriers import Couriers, Gatherer\n"),
        Edit(
            FILE,
            '        self.couriers = Couriers(data / "features.db")\n',
            '        self.couriers = Couriers(data / "features.db")\n        self.gatherer = Gatherer(self.couriers)\n',
        ),
        Edit(FILE, _JOIN, asked),
    ]  # fmt: skip
    if parts:
        made += [
            Edit(FILE, "    def row(self, order", f"{parts}    def row(self, order"),
            Edit(
                FILE,
                "def minutes(",
                "def columns(record: dict[str, Any], *names: str) -> dict[str, Any]:\n"
                '    """Return the named columns of a record, where it has them."""\n'
                "    return {name: record[name] for name in names if name in record}\n\n\ndef minutes(",
            ),
        ]
    return tuple(made)


def plan(rng: random.Random) -> Truth:
    """Draw what is looked up for a row, for how long lookups are gathered, and the onset."""
    seed = rng.randrange(2**31)
    kind = rng.choice(sorted(GATHER_MS))
    wait = rng.choice(GATHER_MS[kind])
    lookups = 1 if kind == "record" else 2
    phrase = "one lookup for each row" if kind == "record" else "two lookups for each row"
    return Truth(
        scenario="n-plus-one-lookups",
        workload="eta",
        seed=seed,
        cause="n-plus-one-lookups",
        component="serving-code",
        object="transform",
        object_aliases=(
            FILE, COURIERS, "preprocess.py", "couriers.py", "Preprocessor.transform", "Gatherer", "Gatherer.one", "gatherer",
            "courier lookup", "courier lookups", "courier table", "couriers", "lookup", "Preprocessor", "online feature table",
        ),
        mechanism=Mechanism(
            sentence=(
                f"transform makes {phrase} of a request and waits for each, {wait} ms at a time, where it had read the "
                "couriers of all rows in one query."
            ),
            concepts=(
                (
                    "each row", "every row", "per row", "row by row", "for each order", "every order", "per order", "each of the rows",
                    "one after another", "one after the other", "number of rows", "with the rows", "rows of the batch",
                ),
                ("lookup", "lookups", "look up", "query", "queries", "round trip", "round trips", "reads", "call", "calls"),
                ("courier", "couriers", "feature table", "courier table", "features.db", "gatherer", "online table", "feature store"),
            ),
            numbers={"gather_ms": float(wait)},
        ),
        onset=kit.onset(rng, 24, 38),
        look_alikes=("per-request-model-load", "sync-logging", "event-loop-blocking"),
        supporting=(
            "latency rows=8 stage=features alone_ms",
            "latency rows=1 stage=features alone_ms",
            "latency rows=8 alone_ms",
            "latency rows=1 alone_ms",
            "latency rows=8 stage=record alone_ms",
            "latency p95_ms",
            "latency p50_ms",
            "latency health_p99_ms",
            "latency window=before p95_ms",
            "parity mismatch",
            "quality mae",
        ),
        discriminating=("latency rows=8 stage=features alone_ms",),
        remedy="Read the couriers of all rows of a request in one lookup.",
        parameters={"kind": kind, "gather_ms": wait, "phrase": phrase, "lookups": lookups, "file": FILE},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the lookup."""
    stack.workspace.commit(kit.change(truth, MESSAGES[str(truth.parameters["kind"])], *edits(truth)))

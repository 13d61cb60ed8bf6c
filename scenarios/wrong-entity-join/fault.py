"""Serving looks couriers up by a key of its own making, and gets the record of somebody else."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/couriers.py"
PREPROCESS = "serving/eta/preprocess.py"
FEATURES = ("courier_speed_kmh", "courier_deliveries_30d", "courier_on_time_rate", "courier_tenure_days")
_LOOKUP = (
    '            found = connection.execute(f"SELECT * FROM couriers WHERE courier_id IN ({marks})", wanted)  # noqa: S608 marks only\n'
    '            return {row["courier_id"]: dict(row) for row in found}'
)
_JOIN = '        table = self.couriers.get({order["courier_id"] for order in orders})'
_ROW = 'self.row(order, table.get(order["courier_id"], {}))'


@dataclass(frozen=True)
class Key:
    """One wrong key: how it is said, the words of an account of it, and the edits that bring it."""

    sentence: str
    words: tuple[str, ...]
    message: str
    edits: tuple[Edit, ...]


def _made(helper: str, body: str, why: str) -> tuple[Edit, ...]:
    """Look couriers up by what a helper makes of their id."""
    return (
        Edit(
            PREPROCESS,
            "def minutes(",
            f'def {helper}(courier_id: str) -> str:\n    """{why}"""\n    return {body}\n\n\ndef minutes(',
        ),
        Edit(
            PREPROCESS,
            _JOIN,
            f'        table = self.couriers.get({{{helper}(order["courier_id"]) for order in orders}})',
        ),
        Edit(PREPROCESS, _ROW, f'self.row(order, table.get({helper}(order["courier_id"]), {{}}))'),
    )


KEYS = {
    "one-based": Key(
        "the number of the courier plus one, because the warehouse counts from one, so every order gets the record of "
        "the next courier",
        ("next", "neighbour", "neighbor", "off by one", "plus one", "one-based", "counts from one", "shifted by one"),
        "Preprocessing: courier numbers as in the warehouse",
        _made(
            "warehouse_id",
            'f"c{(int(courier_id[1:]) + 1) % 240:04d}"',
            "Return the warehouse's id, which counts from one.",
        ),
    ),
    "zero-based": Key(
        "the number of the courier minus one, because rows are counted from zero, so every order gets the record of the "
        "courier before",
        ("previous", "before", "neighbour", "neighbor", "off by one", "minus one", "zero-based", "shifted by one"),
        "Preprocessing: courier numbers as in the planner",
        _made(
            "row_id", 'f"c{max(int(courier_id[1:]) - 1, 0):04d}"', "Return the planner's id, which counts from zero."
        ),
    ),
    "short-key": Key(
        "the first four characters of the courier id, so ten couriers share the record of one of them",
        ("first four", "four characters", "prefix", "truncated", "shortened", "share", "ten couriers", "substr", "cut"),
        "Couriers: ask by the key that the index has",
        (
            Edit(
                FILE,
                _LOOKUP,
                "            # The index of the replica holds four characters of the id.\n"
                "            found = connection.execute(\n"
                '                f"SELECT * FROM couriers WHERE substr(courier_id, 1, 4) IN ({marks}) ORDER BY courier_id",  # noqa: S608 marks only\n'
                "                [key[:4] for key in wanted],\n"
                "            )\n"
                '            by_key = {row["courier_id"][:4]: dict(row) for row in found}\n'
                "            return {key: by_key[key[:4]] for key in wanted if key[:4] in by_key}",
            ),
        ),
    ),
    "hundreds": Key(
        "the last two digits of the courier id, so couriers of the same ending share one record",
        ("last two", "two digits", "ending", "suffix", "truncated", "shortened", "share", "shard", "modulo"),
        "Preprocessing: couriers by shard",
        _made("shard_id", 'f"c00{courier_id[-2:]}"', "Return the id within the shard."),
    ),
}


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change."""
    return KEYS[str(truth.parameters["key"])].edits


def plan(rng: random.Random) -> Truth:
    """Draw the key and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(KEYS))
    key = KEYS[name]
    file = key.edits[0].path
    return Truth(
        scenario="wrong-entity-join",
        workload="eta",
        seed=seed,
        cause="wrong-entity-join",
        component="serving-code",
        object="courier_id",
        object_aliases=(
            file, file.rsplit("/", 1)[1], "courier id", "courier key", "couriers", "courier lookup", "courier table",
            *FEATURES,
        ),
        mechanism=Mechanism(
            sentence=f"Serving looks a courier up by {key.sentence}; the training side joins by the id as it is.",
            concepts=(
                ("courier", "couriers", "courier_id"),
                ("key", "keyed", "id", "ids", "join", "joined", "joins", "lookup", "looks up", "looked up"),
                ("another", "other", "someone else", "somebody else", "wrong", "different", "not their own", "foreign"),
                key.words,
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("stale-feature-store", "feature-absent-at-serving", "concept-drift"),
        supporting=(
            *(f"feature {n} parity_mismatch" for n in FEATURES),
            "feature courier_speed_kmh drift",
            "feature courier_speed_kmh window=before drift",
            "feature courier_speed_kmh null_share",
            "feature courier_speed_kmh distinct",
            "parity mismatch",
            "quality mae",
            "registry alias=champion version",
        ),
        discriminating=("feature courier_speed_kmh parity_mismatch", "feature courier_tenure_days parity_mismatch"),
        remedy="Look couriers up by the id that the order carries, as the training side does.",
        parameters={"key": name, "file": file, "how": key.sentence},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the key."""
    stack.workspace.commit(kit.change(truth, KEYS[str(truth.parameters["key"])].message, *edits(truth)))

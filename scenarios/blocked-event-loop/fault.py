"""The prediction handler becomes async and waits synchronously on the event loop."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/app.py"
SIGNATURE = "    def predict(order: workload.Order, x_request_start: Start = None)"
RETURN = "        return service.score([order.model_dump()], began)[0]"


@dataclass(frozen=True)
class Wait:
    """What the handler waits for, and the edits that make it."""

    words: tuple[str, ...]
    phrase: str
    message: str
    edits: tuple[Edit, ...]


def wait(kind: str, milliseconds: int) -> Wait:
    """Return one way to block the loop."""
    begin = Edit(FILE, SIGNATURE, "    async def predict(order: workload.Order, x_request_start: Start = None)")
    if kind == "flush":
        return Wait(
            ("flush", "prediction log", "on disk", "join"),
            "the prediction log's flush",
            "API: modernise the prediction handler",
            (
                begin,
                Edit(
                    FILE,
                    RETURN,
                    "        answer = service.score([order.model_dump()], began)[0]\n"
                    "        service.log.flush()\n        return answer",
                ),
                Edit("serving/prediction_log.py", "INTERVAL = 0.1", "INTERVAL = 0.3"),
            ),
        )
    return Wait(
        ("sleep", "pause", "pace", "paced", "rate limit", "throttle"),
        "a pause of time.sleep",
        "API: be kind to the courier table",
        (
            begin,
            Edit(FILE, RETURN, f"        time.sleep({milliseconds / 1000:g})\n{RETURN}"),
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw what is waited for, for how long, and the onset."""
    seed = rng.randrange(2**31)
    kind = rng.choice(("flush", "pause"))
    milliseconds = rng.choice((220, 250, 280))
    chosen = wait(kind, milliseconds)
    return Truth(
        scenario="blocked-event-loop",
        workload="eta",
        seed=seed,
        cause="event-loop-blocking",
        component="serving-code",
        object="predict",
        object_aliases=(FILE, "app.py", "/predict", "prediction handler", "predict handler", "handler"),
        mechanism=Mechanism(
            sentence=(
                f"The handler predict is async and makes a blocking call ({chosen.phrase}) on the event loop, so "
                "requests are answered one after another and /health waits with them."
            ),
            concepts=(
                ("event loop", "eventloop", "asyncio loop", "the loop"),
                ("block", "blocks", "blocking", "blocked", "synchronous", "synchronously", "sync call", *chosen.words),
                ("async", "async def", "coroutine", "asynchronous"),
            ),
            numbers={},
        ),
        onset=kit.onset(rng, 10, 16),
        look_alikes=("thread-oversubscription", "per-request-model-load", "n-plus-one-lookups", "sync-logging"),
        supporting=(
            "latency health_p99_ms",
            "latency stage=wait busy_ms",
            "latency p95_ms",
            "latency p50_ms",
            "latency client_p95_ms",
            "latency window=before p95_ms",
            "parity mismatch",
            "quality mae",
        ),
        discriminating=("latency health_p99_ms", "latency stage=wait busy_ms"),
        remedy="Make the handler a plain def, which runs in the thread pool, and take the blocking call out of it.",
        parameters={"kind": kind, "milliseconds": milliseconds, "wait": chosen.phrase, "file": FILE},
    )


def chosen(truth: Truth) -> Wait:
    """Return the change a truth was drawn for."""
    return wait(str(truth.parameters["kind"]), int(truth.parameters["milliseconds"]))


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the handler."""
    stack.workspace.commit(kit.change(truth, chosen(truth).message, *chosen(truth).edits))

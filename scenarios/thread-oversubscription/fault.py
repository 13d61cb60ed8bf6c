"""OpenMP starts as many threads as the host has cores, in a container that may use one of them."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

MANIFEST, ENTRY = "serving/deploy.env", "serving/__main__.py"
IMPORTS = "    from serving import settings\n    from serving.app import create_app\n"


def edits(place: str, threads: int) -> tuple[Edit, ...]:
    """Return the change: in the manifest, or at the start of the process, where it goes before the manifest."""
    if place == MANIFEST:
        return (kit.setting("OMP_NUM_THREADS", "1", str(threads)),)
    return (
        Edit(ENTRY, "import logging\nimport sys\n", "import logging\nimport os\nimport sys\n"),
        Edit(
            ENTRY,
            IMPORTS,
            f"    # The library is loaded with the model and reads this once.\n"
            f'    os.environ["OMP_NUM_THREADS"] = "{threads}"\n{IMPORTS}',
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw where the number of threads is set, the number, and the onset."""
    seed = rng.randrange(2**31)
    place = rng.choice((MANIFEST, ENTRY))
    threads = rng.choice((64, 80, 96))
    return Truth(
        scenario="thread-oversubscription",
        workload="eta",
        seed=seed,
        cause="thread-oversubscription",
        component="serving-runtime",
        object="OMP_NUM_THREADS",
        object_aliases=(place, place.rsplit("/", 1)[-1], "OpenMP threads", "number of OpenMP threads", "deployment manifest"),
        mechanism=Mechanism(
            sentence=(
                f"Each prediction runs on {threads} OpenMP threads while the container's quota is one processor, so the "
                "quota of a period is used up at once and the scheduler throttles the container."
            ),
            concepts=(
                ("openmp", "omp", "omp_num_threads", "omp threads", "openmp threads"),
                (
                    "quota", "cpu limit", "cpu quota", "one processor", "one cpu", "single cpu", "processor limit",
                    "share of the processors", "serving_cpus",
                ),
                ("throttle", "throttles", "throttled", "throttling", "stopped by the scheduler", "cfs", "oversubscribed"),
            ),
            numbers={"threads": float(threads)},
        ),
        # Late, as every slow request of the replay has to be waited for.
        onset=kit.onset(rng, 34, 40),
        look_alikes=("event-loop-blocking", "capacity-shortage", "per-request-model-load", "sync-logging"),
        supporting=(
            "usage serving threads",
            "usage serving throttled_share",
            "limit serving cpus",
            "deploy serving OMP_NUM_THREADS",
            "latency p95_ms",
            "latency window=before p95_ms",
            "latency client_p95_ms",
            "parity mismatch",
        ),
        discriminating=("usage serving threads",),
        remedy=f"Let OpenMP start as many threads as the quota allows, which is one, in {place}.",
        parameters={"place": place, "threads": threads},
    )  # fmt: skip


def chosen(truth: Truth) -> tuple[Edit, ...]:
    """Return the edits that a truth was drawn for."""
    return edits(str(truth.parameters["place"]), int(truth.parameters["threads"]))


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the number of threads."""
    message = f"Serving: use the {truth.parameters['threads']} cores of the new nodes"
    stack.workspace.commit(kit.change(truth, message, *chosen(truth)))

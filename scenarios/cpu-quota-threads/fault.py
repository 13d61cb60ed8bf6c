"""A smaller CPU quota on larger nodes, while OpenMP starts one thread for each of their cores.

A laptop has fewer cores than such a node, so the number is written out instead of being left to the library.
"""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

MANIFEST, ENTRY = "serving/deploy.env", "serving/__main__.py"
IMPORTS = "    from serving import settings\n    from serving.app import create_app\n"


def quota(cpus: float) -> Edit:
    """Return the cut of the container's share of the processors."""
    return kit.setting("SERVING_CPUS", "1.0", f"{cpus:g}")


def threads_at(place: str, threads: int) -> tuple[Edit, ...]:
    """Return the number of threads: in the manifest, or at the start of the process, where it goes before the manifest."""
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
    """Draw where the number of threads is set, the number, the quota, and the onset."""
    seed = rng.randrange(2**31)
    place = rng.choice((MANIFEST, ENTRY))
    threads, cpus = rng.choice((40, 48, 64)), rng.choice((0.8, 0.85, 0.9))
    return Truth(
        scenario="cpu-quota-threads",
        workload="eta",
        seed=seed,
        cause="thread-oversubscription",
        component="serving-runtime",
        object="OMP_NUM_THREADS",
        object_aliases=(place, place.rsplit("/", 1)[-1], "OpenMP threads", "number of OpenMP threads", "deployment manifest"),
        mechanism=Mechanism(
            sentence=(
                f"Each prediction runs on {threads} OpenMP threads while the container's quota was cut to {cpus:g} processors, "
                "so the quota of a period is used up at once and the scheduler throttles the container."
            ),
            concepts=(
                ("openmp", "omp", "omp_num_threads", "omp threads", "openmp threads"),
                (
                    "quota", "cpu limit", "cpu quota", "one processor", "one cpu", "single cpu", "processor limit",
                    "share of the processors", "serving_cpus", "share of a processor",
                ),
                ("throttle", "throttles", "throttled", "throttling", "stopped by the scheduler", "cfs", "oversubscribed"),
            ),
            numbers={"threads": float(threads), "cpus": cpus},
        ),
        onset=kit.onset(rng, 10, 16),
        look_alikes=("event-loop-blocking", "capacity-shortage", "per-request-model-load", "sync-logging"),
        supporting=(
            "usage serving threads",
            "usage serving throttled_share",
            "limit serving cpus",
            "deploy serving OMP_NUM_THREADS",
            "latency p50_ms",
            "latency window=before p50_ms",
            "latency p95_ms",
            "latency window=before p95_ms",
            "latency client_p95_ms",
            "parity mismatch",
        ),
        discriminating=("usage serving threads",),
        remedy=f"Let OpenMP start as many threads as the quota allows, which is one, in {place}; the quota alone is not enough.",
        parameters={"place": place, "threads": threads, "cpus": cpus},
    )  # fmt: skip


def chosen(truth: Truth) -> tuple[Edit, ...]:
    """Return the edits of the number of threads that a truth was drawn for."""
    return threads_at(str(truth.parameters["place"]), int(truth.parameters["threads"]))


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the move: a smaller quota, and the number of threads of the new nodes."""
    message = f"Serving: move to the shared nodes with {truth.parameters['threads']} cores"
    stack.workspace.commit(kit.change(truth, message, quota(float(truth.parameters["cpus"])), *chosen(truth)))

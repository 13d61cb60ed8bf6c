"""Each request resolves the alias and loads the model, so that a promotion needs no restart."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/app.py"
LOADER = "serving/model.py"


@dataclass(frozen=True)
class Load:
    """How the loaded models are to be kept, and why they are not."""

    phrase: str
    message: str
    method: str
    imports: tuple[Edit, ...] = ()


LOADS = {
    "always": Load(
        "keeps none of them",
        "API: a promotion needs no restart",
        '''    def newest(self) -> tuple[Served, Served]:
        """Return what the champion and the challenger are now; the challenger is there for comparison."""
        with self.loading:
            return self.version("champion"), self.version("challenger")
''',
    ),
    "within": Load(
        "keeps them in a cache that begins anew with each call",
        "API: serve the promoted version at once, and keep it at hand",
        '''    def newest(self) -> tuple[Served, Served]:
        """Return what the champion and the challenger are now. What is at hand is not fetched again."""
        at_hand = lru_cache(maxsize=2)(self.version)
        with self.loading:
            return at_hand("champion"), at_hand("challenger")
''',
        (Edit(FILE, "from importlib.metadata", "from functools import lru_cache\nfrom importlib.metadata"),),
    ),
    "minute": Load(
        "keeps them under the minute of the request, in which the microseconds were left",
        "API: look for a promoted version once a minute",
        '''    def newest(self) -> tuple[Served, Served]:
        """Return what the champion and the challenger were at the full minute. They are fetched once in it."""
        minute = datetime.now(UTC).replace(second=0)
        with self.loading:
            if minute not in self.minutes:
                self.minutes = {minute: (self.version("champion"), self.version("challenger"))}
            return self.minutes[minute]
''',
        (
            Edit(
                FILE,
                "        self.ready_until = 0.0\n",
                "        self.ready_until = 0.0\n        self.minutes: dict[datetime, tuple[Served, Served]] = {}\n",
            ),
        ),
    ),
}
VERSION = '''
    def version(self, alias: str) -> Served:
        """Return the version that an alias points to, loaded."""
        return load_model(replace(self.settings, alias=alias), getattr(self.workload, "predictor", None))

'''


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change that loads models in `score`."""
    how = LOADS[str(truth.parameters["kind"])]
    return (
        *how.imports,
        Edit(FILE, "import time\nimport uuid\n", "import threading\nimport time\nimport uuid\n"),
        Edit(FILE, "from datetime import UTC, datetime\n", "from dataclasses import replace\nfrom datetime import UTC, datetime\n"),
        Edit(
            FILE,
            "        self.started_at = datetime.now(UTC)",
            "        self.loading = threading.Lock()\n        self.started_at = datetime.now(UTC)",
        ),
        Edit(FILE, "    def score(self, rows", f"{how.method}{VERSION}    def score(self, rows"),
        Edit(FILE, "            model = self.model\n", "            model, self.challenger = self.newest()\n"),
        # Downloads go where they are removed again, or the disk would fill.
        Edit(LOADER, "import logging\nimport time\n", "import logging\nimport tempfile\nimport time\n"),
        Edit(
            LOADER,
            '    predictor = pyfunc.load_model(f"models:/{settings.model_name}/{version.version}")\n',
            "    with tempfile.TemporaryDirectory() as folder:\n"
            '        predictor = pyfunc.load_model(f"models:/{settings.model_name}/{version.version}", dst_path=folder)\n',
        ),
    )  # fmt: skip


def plan(rng: random.Random) -> Truth:
    """Draw how the models are kept, and the onset."""
    seed = rng.randrange(2**31)
    kind = rng.choice(sorted(LOADS))
    return Truth(
        scenario="per-request-model-load",
        workload="eta",
        seed=seed,
        cause="per-request-model-load",
        component="serving-code",
        object="newest",
        object_aliases=(
            FILE, LOADER, "app.py", "model.py", "load_model", "Service.newest", "score", "Service.score", "model load",
            "model loading", "the model", "model", "champion and challenger",
        ),
        mechanism=Mechanism(
            sentence=(
                "In each request, score asks newest for the models, which resolves the aliases and loads champion and "
                f"challenger from the registry, because it {LOADS[kind].phrase}; one load waits for the other."
            ),
            concepts=(
                ("each request", "every request", "per request", "each prediction", "every prediction", "every call", "request path"),
                ("load", "loads", "loaded", "loading", "reload", "download", "downloads", "fetch", "fetches", "unpickle", "unpickles"),
                ("model", "models", "champion", "challenger", "version", "versions", "artifact", "artifacts"),
            ),
        ),
        # Late, as every slow request of the replay has to be waited for.
        onset=kit.onset(rng, 34, 40),
        look_alikes=("event-loop-blocking", "n-plus-one-lookups", "sync-logging"),
        supporting=(
            "latency rows=1 stage=model alone_ms",
            "latency rows=8 stage=model alone_ms",
            "latency rows=1 alone_ms",
            "latency rows=8 alone_ms",
            "latency p95_ms",
            "latency p50_ms",
            "latency health_p99_ms",
            "latency window=before p95_ms",
            "parity mismatch",
            "quality mae",
        ),
        discriminating=("latency rows=1 stage=model alone_ms", "latency rows=8 stage=model alone_ms"),
        remedy="Load the model once, at start or when the alias has moved, and not in score.",
        parameters={"kind": kind, "phrase": LOADS[kind].phrase, "file": FILE},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change of the service."""
    stack.workspace.commit(kit.change(truth, LOADS[str(truth.parameters["kind"])].message, *edits(truth)))

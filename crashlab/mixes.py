"""What a blind start draws: a bucket of causes by weight, then one of its scenarios.

The weights and their reasons are in `scenarios/mixes.toml`; docs/explanation/mixes.md tells where they come from.
"""

import random
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, ValidationError

from crashlab import scenario
from crashlab.errors import UsageError
from crashlab.model import Frozen, Ground, Identifier, RuntimeName
from crashlab.scenario import Scenario

MixName = Literal["on-call", "teaching"]
MIXES: tuple[MixName, ...] = get_args(MixName)


class Bucket(Frozen):
    """Causes that are drawn with one weight in each mix, and why they have it."""

    id: Identifier
    title: str
    on_call: float = Field(ge=0, alias="on-call")
    teaching: float = Field(ge=0)
    why: str
    causes: tuple[Identifier, ...] = Field(min_length=1)

    def weight(self, mix: MixName) -> float:
        """Relative weight in a mix."""
        return self.on_call if mix == "on-call" else self.teaching


class Mixes(Frozen):
    """What `mixes.toml` holds."""

    bucket: tuple[Bucket, ...] = Field(min_length=1)


def load(folder: Path) -> tuple[Bucket, ...]:
    """Read the buckets of a catalogue. Raises UsageError with every error where the file is not valid."""
    try:
        return Mixes.model_validate(tomllib.loads((folder / "mixes.toml").read_text(encoding="utf-8"))).bucket
    except (OSError, ValidationError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"mixes.toml is not valid: {error}", "Mend the file.") from error


def mix_name(value: str) -> MixName:
    """Return the mix of this name. Raises UsageError where there is none."""
    for name in MIXES:
        if value == name:
            return name
    raise UsageError(f"There is no mix {value!r}.", f"Mixes: {', '.join(MIXES)}.")


def candidates(
    found: Sequence[Scenario],
    runtime: RuntimeName,
    level: int | None,
    family: str | None,
    *,
    drafts: bool = True,
    workload: str | None = None,
) -> list[Scenario]:
    """Return the scenarios that run on `runtime` and fit, without drafts unless `drafts`.

    Raises UsageError where none does, saying what there is; `workload` is named there as what else was asked for.
    """
    able = [item for item in found if runtime in item.runtimes]
    fitting = [item for item in able if level in (None, item.level) and family in (None, item.family)]
    asked = " and ".join(
        [
            *([f"workload {workload}"] if workload is not None else []),
            *([f"level {level}"] if level is not None else []),
            *([f"family {family}"] if family is not None else []),
        ]
    )
    if fitting:
        return fitting if drafts else scenario.without_drafts(fitting, f"{asked} on {runtime}".strip())
    if family is not None and family not in {item.family for item in found}:
        raise UsageError(
            f"There is no family {family!r}.", f"Families: {', '.join(sorted({s.family for s in found}))}."
        )
    levels = sorted({item.level for item in able if family in (None, item.family) and (drafts or item.proved)})
    raise UsageError(
        f"No scenario for {asked or 'this machine'} runs on {runtime}.",
        f"Levels there are: {', '.join(map(str, levels)) or 'none'}. See `crashlab list`.",
    )


def draw(
    found: Sequence[Scenario],
    buckets: Sequence[Bucket],
    mix: MixName,
    rng: random.Random,
    seed: int,
    ground: Ground | None = None,
) -> Scenario:
    """Draw a bucket by its weight among those that have a scenario, then one of its scenarios, all equally likely.

    `seed` is the incident's: a scenario's bucket is that of the cause which this seed gives. `ground` is that of a
    person's own table, where the incident is to happen on one.
    """
    bucket_of = {cause: bucket.id for bucket in buckets for cause in bucket.causes}
    filled: dict[str, list[Scenario]] = {}
    for item in found:
        filled.setdefault(bucket_of[scenario.plan(item.name, seed, ground).cause], []).append(item)
    present = [bucket for bucket in buckets if bucket.id in filled]
    # Where all that fit have no weight in this mix, they are equally likely.
    weights = [bucket.weight(mix) for bucket in present]
    chosen = rng.choices(present, weights if any(weights) else None)[0]
    return rng.choice(filled[chosen.id])

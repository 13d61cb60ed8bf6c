"""Serving turns names into numbers by a table of its own instead of the one that the model was trained with."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
LEVELS = {
    "vehicle": ("bicycle", "scooter", "car"),
    "zone": ("suburbs", "hills", "harbour", "centre"),
    "weather": ("clear", "rain", "snow"),
}
"""Names in the order of their codes in training."""


def _place(names: tuple[str, ...]) -> dict[str, int]:
    """Code of each name by its place."""
    return {name: code for code, name in enumerate(names)}


def _listed(column: str, names: tuple[str, ...]) -> tuple[Edit, ...]:
    """Code the names by their place in a list."""
    constant = f"{column.upper()}S"
    return (
        Edit(
            FILE,
            "METRES_PER_KM = 1000.0",
            f"{constant} = ({', '.join(repr(n) for n in names)})\nMETRES_PER_KM = 1000.0",
        ),
        Edit(FILE, f'"{column}": order["{column}"],', f'"{column}": {constant}.index(order["{column}"]),'),
    )


def _second(column: str, names: tuple[str, ...]) -> tuple[Edit, ...]:
    """Do the same for one more column, in front of the first list."""
    first, use = _listed(column, names)
    return (Edit(FILE, "\n\nclass Preprocessor:", f"\n{first.new.splitlines()[0]}\n\n\nclass Preprocessor:"), use)


@dataclass(frozen=True)
class Coding:
    """One way to lose the code table: the feature it shows in, and its edits."""

    feature: str
    others: tuple[str, ...]
    how: str
    words: tuple[str, ...]
    message: str
    edits: tuple[Edit, ...]
    codes: dict[str, int]
    """Code of each name in serving."""


_PLACE = (
    "order", "list", "listed", "position", "index", "place", "permuted", "swapped", "exchanged", "reversed", "renumbered",
)  # fmt: skip
CODINGS = {
    "fastest-first": Coding(
        "vehicle", (), "their place in a list of its own, car, scooter, bicycle", _PLACE,
        "Preprocessing: know the vehicles by name", _listed("vehicle", ("car", "scooter", "bicycle")), _place(("car", "scooter", "bicycle")),
    ),
    "worst-first": Coding(
        "weather", (), "their place in a list of its own, snow, rain, clear", _PLACE,
        "Preprocessing: know the weather by name", _listed("weather", ("snow", "rain", "clear")), _place(("snow", "rain", "clear")),
    ),
    "as-reported": Coding(
        "weather", (), "their place in a list of its own, rain, snow, clear", _PLACE,
        "Preprocessing: refuse weather that the provider does not report", _listed("weather", ("rain", "snow", "clear")), _place(("rain", "snow", "clear")),
    ),
    "centre-first": Coding(
        "zone", ("weather",), "their place in lists of its own, centre first and snow first", _PLACE,
        "Preprocessing: know zones and weather by name",
        (*_listed("zone", ("centre", "harbour", "hills", "suburbs")), *_second("weather", ("snow", "rain", "clear"))),
        _place(("centre", "harbour", "hills", "suburbs")),
    ),
}  # fmt: skip


def coding(truth: Truth) -> Coding:
    """Return the coding a truth was drawn for."""
    return CODINGS[str(truth.parameters["coding"])]


def plan(rng: random.Random) -> Truth:
    """Draw the column, the wrong table and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(CODINGS))
    chosen = CODINGS[name]
    feature = chosen.feature
    moved = [level for code, level in enumerate(LEVELS[feature]) if chosen.codes[level] != code]
    telling = tuple(f"category {feature}={level} code" for level in moved)
    return Truth(
        scenario="category-encoding-order",
        workload="eta",
        seed=seed,
        cause="category-encoding-order",
        component="serving-code",
        object=feature,
        object_aliases=(FILE, "preprocess.py", *chosen.others, f"{feature}s", f"{feature} codes"),
        mechanism=Mechanism(
            sentence=(
                f"Serving codes {feature} by {chosen.how}, while the model was trained with the codes of featurelib's "
                "table; the same name reaches the model as another number."
            ),
            concepts=(
                ("code", "codes", "coded", "encoded", "encoding", "encodes", "mapping", "mapped", "number", "numbers"),
                chosen.words,
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("feature-order", "unit-mismatch", "imputation-mismatch", "wrong-alias"),
        supporting=(
            *telling,
            *(f"category {feature}={level} side=training code" for level in moved),
            f"feature {feature} parity_mismatch",
            f"feature {feature} distinct",
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=telling,
        remedy=f"Hand the names of {feature} to featurelib as they are, so that its table codes them as in training.",
        parameters={"coding": name, "file": FILE, "how": chosen.how, "shown": moved[-1]},
    )


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the coding."""
    chosen = coding(truth)
    stack.workspace.commit(kit.change(truth, chosen.message, *chosen.edits))

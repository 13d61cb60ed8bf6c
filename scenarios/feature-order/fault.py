"""Serving takes the features as an array and names the columns from a list of its own, in another order."""

import random
from dataclasses import dataclass

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
GROUPS = {
    "order": ("distance_km", "kitchen_minutes", "local_hour", "weekend", "temperature_c", "items", "basket_value"),
    "names": ("vehicle", "zone", "weather"),
    "courier": ("courier_speed_kmh", "courier_deliveries_30d", "courier_on_time_rate", "courier_tenure_days"),
}
"""Features in the order of training, in the groups that a person would make of them."""


@dataclass(frozen=True)
class Order:
    """Another order of one group, and what it does: `took` says whose values each displaced name now carries."""

    group: str
    columns: tuple[str, ...]

    @property
    def took(self) -> dict[str, str]:
        """Displaced name to the feature whose values it carries."""
        return {name: real for name, real in zip(self.columns, GROUPS[self.group], strict=True) if name != real}


ORDERS = {
    "zone-first": Order("names", ("zone", "vehicle", "weather")),
    "weather-first": Order("names", ("weather", "zone", "vehicle")),
    "courier-by-alphabet": Order(
        "courier", ("courier_deliveries_30d", "courier_on_time_rate", "courier_speed_kmh", "courier_tenure_days")
    ),
    "tenure-first": Order(
        "courier", ("courier_tenure_days", "courier_deliveries_30d", "courier_on_time_rate", "courier_speed_kmh")
    ),
    "basket-first": Order(
        "order", ("items", "kitchen_minutes", "local_hour", "weekend", "temperature_c", "distance_km", "basket_value")
    ),
}
"""Orders that a list of names could have."""


def order(truth: Truth) -> Order:
    """Return the order a truth was drawn for."""
    return ORDERS[str(truth.parameters["order"])]


def edits(chosen: Order) -> tuple[Edit, ...]:
    """Return the change: a list of names, and an array that is named by it."""
    lines = "".join(
        f"    {', '.join(repr(name) for name in (chosen.columns if group == chosen.group else names))},\n"
        for group, names in GROUPS.items()
    ).replace("'", '"')
    return (
        Edit(
            FILE,
            "METRES_PER_KM = 1000.0",
            f'COLUMNS = [\n{lines}]\n"""Features as the API documents them."""\nMETRES_PER_KM = 1000.0',
        ),
        Edit(
            FILE,
            "        result: pd.DataFrame = featurelib.transform(frame)\n        return result",
            "        values = featurelib.transform(frame).to_numpy()\n        return pd.DataFrame(values, columns=COLUMNS)",
        ),
    )


def plan(rng: random.Random) -> Truth:
    """Draw the order of the list and the onset."""
    seed = rng.randrange(2**31)
    name = rng.choice(sorted(ORDERS))
    chosen = ORDERS[name]
    took = chosen.took
    names = list(took)
    first, second = names[0], took[names[0]]
    return Truth(
        scenario="feature-order",
        workload="eta",
        seed=seed,
        cause="feature-order",
        component="serving-code",
        object="COLUMNS",
        object_aliases=(
            FILE, "preprocess.py", *names, f"{first} and {second}", f"{second} and {first}", "column list",
            "list of columns", "column order", "order of the columns", "feature order", "order of the features",
        ),
        mechanism=Mechanism(
            sentence=(
                f"Serving turns the features into an array and names its columns from a list in another order, so that "
                f"{'; '.join(f'{n} carries the values of {r}' for n, r in took.items())}."
            ),
            concepts=(
                (
                    "order", "position", "positional", "place", "swapped", "exchanged", "permuted", "displaced",
                    "by place", "reordered",
                ),
                tuple(names),
                (
                    "values of", "carries", "carry", "taken the place", "took the place", "named", "names", "labelled",
                    "mislabelled", "column", "columns",
                ),
            ),
        ),
        onset=kit.onset(rng),
        look_alikes=("category-encoding-order", "unit-mismatch", "imputation-mismatch", "wrong-alias"),
        supporting=(
            *(f"feature {n} parity_mismatch" for n in names),
            *(f"feature {n} mean" for n in names),
            *(f"feature {n} window=before mean" for n in took.values()),
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=tuple(f"feature {n} mean" for n in names),
        remedy="Keep the names that featurelib gives its columns, and select the model's inputs by name.",
        parameters={"order": name, "file": FILE, "first": first, "second": second, "displaced": len(names)},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the list."""
    message = "Preprocessing: as the API documents it"
    stack.workspace.commit(kit.change(truth, message, *edits(order(truth))))

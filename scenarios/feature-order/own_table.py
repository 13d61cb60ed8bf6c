"""The same on a person's own table: serving binds the names of the features to their values by place."""

import random

from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Truth
from crashlab.stack.base import Commit, Edit, Stack
from scenarios import kit, kit_table

BY_PLACE = (
    "        values = [list(self.row(row).values()) for row in rows]\n"
    '        return pd.DataFrame(values, columns=list(FEATURES)).astype("float64")\n'
)


def listed(names: list[str]) -> str:
    """Return the generated list of features in an order."""
    return "FEATURES = (\n" + "".join(f'    "{name}",\n' for name in names) + ")\n"


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change: two names change places in the list, and the list names the columns."""
    path, names = kit_table.preprocessing(truth.workload), str(truth.parameters["features"]).split(",")
    swap = {
        truth.parameters["first"]: truth.parameters["second"],
        truth.parameters["second"]: truth.parameters["first"],
    }
    return (
        Edit(path, listed(names), listed([str(swap.get(name, name)) for name in names])),
        Edit(path, kit_table.ROWS + kit_table.RETURN, BY_PLACE),
    )


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw the two features that change places."""
    change = rng.choice(kit_table.felt(ground, "swap", what="two columns whose exchange matters"))
    first, second = rng.sample(change.columns, 2)
    path = kit_table.preprocessing(ground.workload)
    return kit_table.truth(
        rng,
        ground,
        change,
        scenario="feature-order",
        cause="feature-order",
        component="serving-code",
        target="FEATURES",
        aliases=(
            path, "preprocess.py", first, second, f"{first} and {second}", f"{second} and {first}", "list of features",
            "list of columns", "column order", "order of the columns", "feature order", "order of the features",
        ),
        mechanism=Mechanism(
            sentence=(
                "Serving names the values of a row from the list FEATURES by their place, and that list has another order "
                f"than the values, so that {first} carries the values of {second} and {second} those of {first}."
            ),
            concepts=(
                (
                    "order", "position", "positional", "place", "swapped", "exchanged", "permuted", "displaced", "by place",
                    "reordered",
                ),
                (first, second),
                (
                    "values of", "carries", "carry", "taken the place", "took the place", "named", "names", "labelled",
                    "mislabelled", "column", "columns",
                ),
            ),
        ),
        look_alikes=("category-encoding-order", "unit-mismatch", "imputation-mismatch", "wrong-alias"),
        discriminating=(f"feature {first} mean", f"feature {second} mean"),
        supporting=(
            *kit_table.parity(first, second),
            f"feature {first} window=before mean",
            f"feature {second} window=before mean",
        ),
        remedy="Keep the names that each row gives its values, and select the model's inputs by name.",
        parameters={"first": first, "second": second, "features": ",".join(ground.order), "file": path},
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the list."""
    stack.workspace.commit(kit.change(truth, "Preprocessing: features as the documentation lists them", *edits(truth)))


def by_name(truth: Truth) -> Commit:
    """Select the columns by name; the list may have any order then."""
    change = edits(truth)[1]
    return kit.mend("Select the features by name", Edit(change.path, change.new, change.old))


def one_column(truth: Truth) -> Commit:
    """Give one of the two names its own values again and leave the other."""
    name, change = truth.parameters["first"], edits(truth)[1]
    return kit.mend(
        f"Mend {name}",
        Edit(
            change.path,
            change.new,
            "        values = [list(self.row(row).values()) for row in rows]\n"
            '        result = pd.DataFrame(values, columns=list(FEATURES)).astype("float64")\n'
            f'        result["{name}"] = [self.row(row)["{name}"] for row in rows]\n'
            '        return result.astype("float64")\n',
        ),
    )


REFERENCE: Fix = kit.committed("select the features by name", "The order of the list no longer matters.", by_name)
DECOYS: tuple[Fix, ...] = (
    kit.committed(
        "mend the column that looks worst",
        "The values it had taken are still missing under their own name.",
        one_column,
    ),
    kit_table.bend_answers(),
    kit_table.roll_back(),
)

"""The same on a person's own table: serving's list of a column's values has another order than training's."""

import json
import random
import re

from crashlab.errors import UsageError
from crashlab.fault import Fix
from crashlab.model import Ground, Mechanism, Reaction, Truth
from crashlab.stack.base import Commit, Edit, Stack
from crashlab.tables.ground import recoded
from scenarios import kit, kit_table

PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
"""Values that can stand in the name of a fact."""
MESSAGES = {
    "reversed": "Preprocessing: list values from rare to frequent",
    "sorted": "Preprocessing: list values by the alphabet",
    "turned": "Preprocessing: list values the way the form does",
}
PHRASES = {
    "reversed": "their place in a list from the rarest to the most frequent",
    "sorted": "their place in the alphabet",
    "turned": "their place in the form's list, whose last entry is training's first",
}


def listed(name: str, levels: tuple[str, ...]) -> str:
    """Return the generated line that lists a column's values."""
    return f"    {json.dumps(name)}: {kit_table.levels(levels)},\n"


def known(truth: Truth) -> tuple[str, ...]:
    """Return the values of the column in the order of training."""
    return tuple(json.loads(str(truth.parameters["levels"])))


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change."""
    levels = known(truth)
    return (
        Edit(
            kit_table.preprocessing(truth.workload),
            listed(truth.object, levels),
            listed(truth.object, recoded(levels, str(truth.parameters["how"]))),
        ),
    )


def moved(ground: Ground, change: Reaction) -> list[str]:
    """Return the values that another order gives other codes, those that a fact can name, frequent ones first."""
    levels = ground.feature(change.columns[0]).levels
    new = recoded(levels, change.how)
    return [level for level, other in zip(levels, new, strict=True) if level != other and PLAIN.fullmatch(level)]


def plan_on(rng: random.Random, ground: Ground) -> Truth:
    """Draw the column and the order of its values."""
    found = kit_table.felt(ground, "recode", what="category whose codes matter")
    named = [change for change in found if moved(ground, change)]
    if not named:
        raise UsageError(
            f"{ground.workload} has no category whose values can stand in the name of a fact.",
            "Write them as words without spaces.",
        )
    change = rng.choice(named)
    (name,), how = change.columns, change.how
    feature, path = ground.feature(name), kit_table.preprocessing(ground.workload)
    shown = moved(ground, change)
    telling = tuple(f"category {name}={level} code" for level in shown[:2])
    return kit_table.truth(
        rng,
        ground,
        change,
        scenario="category-encoding-order",
        cause="category-encoding-order",
        component="serving-code",
        target=name,
        aliases=(path, "preprocess.py", "LEVELS", f"{name} codes", *kit_table.words(feature)),
        mechanism=Mechanism(
            sentence=(
                f"Serving codes {name} by {PHRASES[how]}, while the model was trained with codes by frequency; the same value "
                "reaches the model as another number."
            ),
            concepts=(
                ("code", "codes", "coded", "encoded", "encoding", "encodes", "mapping", "mapped", "number", "numbers"),
                (
                    "order", "list", "listed", "position", "index", "place", "permuted", "swapped", "exchanged", "reversed",
                    "renumbered", "alphabet", "alphabetical", "sorted",
                ),
            ),
        ),
        look_alikes=("feature-order", "unit-mismatch", "imputation-mismatch", "wrong-alias"),
        discriminating=telling,
        supporting=(
            *(f"category {name}={level} side=training code" for level in shown[:2]),
            *kit_table.parity(name),
        ),
        remedy=f"List the values of {name} in {path} in the order of training again.",
        parameters={
            "how": how, "levels": json.dumps(feature.levels, ensure_ascii=False), "phrase": PHRASES[how], "file": path,
            "shown": shown[0],
        },
    )  # fmt: skip


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the list."""
    stack.workspace.commit(kit.change(truth, MESSAGES[str(truth.parameters["how"])], *edits(truth)))


def in_order(truth: Truth) -> Commit:
    """List the values as training does."""
    return kit.mend("List values in the order of training", *kit.inverse(*edits(truth)))


def by_chance(truth: Truth) -> Commit:
    """List the values in one more order, which at least is documented."""
    levels, how = known(truth), str(truth.parameters["how"])
    others = [order for other in MESSAGES if (order := recoded(levels, other)) not in (levels, recoded(levels, how))]
    wrong = others[0] if others else levels[:1]
    return kit.mend(
        "Document the order of the values",
        Edit(
            kit_table.preprocessing(truth.workload),
            listed(truth.object, recoded(levels, how)),
            listed(truth.object, wrong),
        ),
    )


REFERENCE: Fix = kit.committed("list the values in the order of training", "Both sides use one table again.", in_order)
DECOYS: tuple[Fix, ...] = (
    kit.committed("another order, documented", "A documented table is not yet the one of training.", by_chance),
    kit_table.bend_answers(),
    kit_table.roll_back(),
    kit.retrain(),
)

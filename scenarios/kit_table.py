"""What scenarios share on workloads of a person's own tables: what is felt there, and the edits of the generated code.

The names of such a workload are the table's own, so nothing here names a feature. A truth keeps in its parameters what
its edits are made of; the code that they fit is what `crashlab/tables/templates` writes.
"""

import json
import random
from collections.abc import Sequence
from datetime import datetime

from crashlab.errors import UsageError
from crashlab.fault import Fix
from crashlab.model import Feature, Ground, Mechanism, Reaction, ReactionKind, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

CLEAR = 0.25
"""Part of its threshold by which a rule fires or stays silent: more than the margin that a proof asks for."""
QUALITY = "prediction-quality"
RETURN = '        return frame[list(FEATURES)].astype("float64")\n'
"""Last line of the generated `transform`."""
ROWS = "        frame = pd.DataFrame([self.row(row) for row in rows])\n"
CODE = "def code(row: dict[str, Any], name: str) -> float | None:"
"""Last function of the generated preprocessing; helpers are put before it."""


def preprocessing(workload: str) -> str:
    """Path of a workload's serving-side preprocessing."""
    return f"serving/{workload}/preprocess.py"


def init(workload: str) -> str:
    """Path of the module that names a workload's parts."""
    return f"serving/{workload}/__init__.py"


def policy(workload: str) -> str:
    """Path of a workload's policy."""
    return f"serving/{workload}/policy.toml"


def onset(rng: random.Random) -> datetime:
    """Draw the time of a night release: whole days are then compared with whole days, which send the same rows."""
    return kit.onset(rng, 0, 5)


def felt(ground: Ground, *kinds: ReactionKind, must: str = QUALITY, least: int = 2, what: str) -> list[Reaction]:
    """Return the changes of some kinds that are felt on a table by CLEAR, at least `least`: one truth is no exercise.

    `must` is a rule that has to fire. Changes to which every rule answers come before others, so that causes look alike.
    Raises UsageError where there are fewer; `what` says in its sentence what was looked for.
    """
    tried = [change for change in ground.reactions if change.kind in kinds]
    found = [change for change in tried if change.decided(CLEAR) and change.fires(must, CLEAR)]
    everything = [change for change in found if all(change.fires(rule, CLEAR) for rule in change.reach)]
    if len(everything) >= least:
        return everything
    if len(found) >= least:
        return found
    none = "has nothing of the kind" if not tried else "its model does not feel it enough"
    raise UsageError(
        f"{ground.workload} has no {what}: {'the table' if not tried else 'of those tried,'} {none}.",
        f"See `crashlab list --workload {ground.workload}` for what runs.",
    )


def alerts(change: Reaction) -> tuple[str, ...]:
    """Return the rules that fire after a change."""
    return tuple(rule for rule in change.reach if change.fires(rule, CLEAR))


def words(feature: Feature) -> tuple[str, ...]:
    """Return other names of a feature: its heading in the file, and its name as people say it."""
    spoken = feature.name.replace("_", " ")
    return tuple(dict.fromkeys(name for name in (feature.source, spoken) if name != feature.name))


def reading(name: str, *, category: bool = False) -> str:
    """Return the end of the generated line that reads a feature from a row."""
    return f'{"code" if category else "value"}(row, "{name}"),\n'


def line(name: str, *, category: bool = False) -> str:
    """Return the generated line that reads a feature from a row."""
    return f'            "{name}": {reading(name, category=category)}'


def helper(workload: str, text: str) -> Edit:
    """Put a function into the preprocessing, before the last one."""
    return Edit(preprocessing(workload), CODE, f"{text}\n\n\n{CODE}")


def called(workload: str, name: str, function: str) -> Edit:
    """Let a number go through a function of one argument on its way."""
    return Edit(
        preprocessing(workload),
        line(name),
        f'            "{name}": {function}({reading(name).removesuffix(f",{chr(10)}")}),\n',
    )


def framed(workload: str, *lines: str) -> Edit:
    """Do something to `result`, the frame of features, before it is returned."""
    body = "".join(f"        {text}\n" for text in lines)
    return Edit(
        preprocessing(workload),
        RETURN,
        f'        result = frame[list(FEATURES)].astype("float64")\n{body}        return result\n',
    )


def truth(
    rng: random.Random,
    ground: Ground,
    change: Reaction | None,
    *,
    scenario: str,
    cause: str,
    component: str,
    target: str,
    aliases: Sequence[str],
    mechanism: Mechanism,
    look_alikes: Sequence[str],
    discriminating: Sequence[str],
    supporting: Sequence[str],
    remedy: str,
    parameters: dict[str, str | int | float],
    fired: Sequence[str] = (),
) -> Truth:
    """Return a truth on a person's own table. `fired` are the alerts where no reaction says them."""
    return Truth(
        scenario=scenario,
        workload=ground.workload,
        seed=rng.randrange(2**31),
        cause=cause,
        component=component,
        object=target,
        object_aliases=tuple(aliases),
        mechanism=mechanism,
        onset=onset(rng),
        look_alikes=tuple(look_alikes),
        supporting=tuple(dict.fromkeys([*discriminating, *supporting, "registry alias=champion version"])),
        discriminating=tuple(discriminating),
        remedy=remedy,
        parameters={"champion": ground.champion, **parameters},
        own_alerts=alerts(change) if change else tuple(fired),
    )


def parity(*names: str) -> tuple[str, ...]:
    """Return the facts that every skew in these features is borne out by."""
    return (*(f"feature {name} parity_mismatch" for name in names), "parity mismatch", "prediction drift")


def bend_answers() -> Fix:
    """Raise every answer by a sixth, whatever it is."""
    return kit.scale_answers(1.15)


def roll_back() -> Fix:
    """Return to the version before the champion, which `training/table/model.py` records as the third."""
    return kit.roll_back(3)


def levels(values: Sequence[str]) -> str:
    """Return the values of a category as the generated code writes them."""
    written = [json.dumps(value, ensure_ascii=False) for value in values]
    return "(" + ", ".join(written) + ("," if len(written) == 1 else "") + ")"


def promoted(stack: Stack, version: int) -> None:
    """Point champion to a version in the registry of a stack whose services may not run yet."""
    stack.up(["mlflow"])
    stack.registry.move_alias("champion", version)

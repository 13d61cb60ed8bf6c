"""One sentence that says what is broken. This template: a constant of serving's preprocessing has another unit."""

import random

from crashlab.model import Mechanism, Truth
from crashlab.stack.base import Edit, Stack
from scenarios import kit

FILE = "serving/eta/preprocess.py"
VARIANTS = {
    "miles": (1609.344, ("mile", "miles")),
    "nautical miles": (1852.0, ("nautical mile", "nautical miles")),
    "hectometres": (100.0, ("hectometre", "hectometres", "hundred metres")),
}
"""What the seed chooses from: unit, metres in it, and the ways to say it in prose. Two variants at least."""


def plan(rng: random.Random) -> Truth:
    """Draw the unit and the onset. Pure: nothing but `rng` may decide, and every number that varies is drawn here."""
    seed = rng.randrange(2**31)
    unit = rng.choice(sorted(VARIANTS))
    metres, words = VARIANTS[unit]
    ratio = 1000.0 / metres
    return Truth(
        scenario="my-scenario",
        workload="eta",
        seed=seed,
        # Ids of `crashlab taxonomy`; the object is the one thing to change, with its other right names as aliases.
        cause="unit-mismatch",
        component="serving-code",
        object="distance_km",
        object_aliases=(FILE, "preprocess.py", "METRES_PER_KM", "route_distance_m", "distance"),
        mechanism=Mechanism(
            sentence=(
                f"Serving converts route_distance_m to {unit} where the model was trained on kilometres, so "
                f"distance_km arrives at {ratio:.4g} times its value."
            ),
            # A right account says one phrase of each group; a number of `numbers` says it as well.
            concepts=(words, ("kilometre", "kilometres", "kilometer", "kilometers", "km")),
            numbers={"ratio": ratio, "inverse": 1 / ratio},
        ),
        onset=kit.onset(rng),
        # Causes that fire the same alerts.
        look_alikes=kit.others("unit-mismatch"),
        # Facts that bear the diagnosis out, and among them those that no look-alike would show.
        supporting=(
            "feature distance_km parity_ratio",
            "feature distance_km parity_mismatch",
            "parity mismatch",
            "prediction drift",
            "registry alias=champion version",
        ),
        discriminating=("feature distance_km parity_ratio",),
        remedy=f"Convert route_distance_m to kilometres in {FILE} again, as training does.",
        # What `inject` and the answers need.
        parameters={"unit": unit, "metres": metres, "ratio": ratio, "file": FILE},
    )


def edits(truth: Truth) -> tuple[Edit, ...]:
    """Return the change. `old` occurs exactly once in the file, whatever harmless commits come before."""
    return (Edit(FILE, "METRES_PER_KM = 1000.0", f"METRES_PER_KM = {truth.parameters['metres']}"),)


def inject(stack: Stack, truth: Truth) -> None:
    """Commit the change under a message that a colleague would have written, and that does not give it away.

    Other ways in: `stack.registry.move_alias` after `stack.up(["mlflow"])`, a pin with `relock=("serving",)`, upstream
    data by `data/traffic.json`, or a limit in `serving/deploy.env`.
    """
    stack.workspace.commit(kit.change(truth, "Preprocessing: constants of the new route planner", *edits(truth)))

"""The right remedy and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from crashlab.model import Truth
from crashlab.stack.base import Commit, Edit
from scenarios import kit

fault = importlib.import_module("scenarios.upstream-schema-change.fault")
FILE = "serving/eta/schema.py"
PREPROCESS = "serving/eta/preprocess.py"


def converted(truth: Truth, city: str) -> Commit:
    """Convert the field where a request enters, for clients of a city or for everybody."""
    chosen = fault.release(truth)
    column = chosen.column
    test = f"self.{column} is not None" + (f' and self.timezone == "{city}"' if city else "")
    return kit.mend(
        "Requests: understand the clients' new release",
        Edit(
            FILE,
            "from pydantic import AfterValidator, BaseModel, ConfigDict, Field\n",
            "from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator\n",
        ),
        Edit(
            FILE,
            '    courier_id: str = Field(min_length=1, max_length=64, description="who delivers")\n',
            '    courier_id: str = Field(min_length=1, max_length=64, description="who delivers")\n\n'
            '    @model_validator(mode="after")\n'
            '    def in_our_unit(self) -> "Order":\n'
            f'        """Convert what clients send in {chosen.unit}."""\n'
            f"        if {test}:\n"
            f"            self.{column} *= {1 / chosen.scale!r}\n"
            "        return self\n",
        ),
    )


def where_it_enters(truth: Truth) -> Commit:
    """Convert for those who changed."""
    return converted(truth, str(truth.parameters["city"]))


def left_out(truth: Truth) -> Commit:
    """Do without the field until its producer has mended it."""
    feature = fault.release(truth).feature
    return kit.mend(
        f"Do without {feature}",
        Edit(
            PREPROCESS,
            "        result: pd.DataFrame = featurelib.transform(frame)\n",
            f'        result: pd.DataFrame = featurelib.transform(frame)\n        result["{feature}"] = float("nan")\n',
        ),
    )


def clipped(truth: Truth) -> Commit:
    """Hold the feature in the range of training."""
    feature = fault.release(truth).feature
    low, high = {"distance_km": (0.4, 12.0), "kitchen_minutes": (3.0, 45.0)}[feature]
    return kit.mend(
        f"Hold {feature} in range",
        Edit(
            PREPROCESS,
            "        result: pd.DataFrame = featurelib.transform(frame)\n",
            "        result: pd.DataFrame = featurelib.transform(frame)\n"
            f'        result["{feature}"] = result["{feature}"].clip({low}, {high})\n',
        ),
    )


REFERENCE: Fix = kit.committed(
    "convert where requests enter", "Log, features and training keep one meaning of the field.", where_it_enters
)
DECOYS: tuple[Fix, ...] = (
    kit.committed("leave the feature out", "The model loses what it knew about every order.", left_out),
    kit.committed("clip to the range of training", "Values are in range, and still not what they mean.", clipped),
    kit.roll_back(),
)

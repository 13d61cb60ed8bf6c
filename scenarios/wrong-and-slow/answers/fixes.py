"""The right remedy, which has two halves, and tempting wrong ones."""

import importlib

from crashlab.fault import Fix
from scenarios import kit

PARTS: tuple[str, str] = importlib.import_module("scenarios.wrong-and-slow.fault").PARTS

REFERENCE: Fix = kit.mend_both(PARTS)
DECOYS: tuple[Fix, ...] = (kit.mend_one(PARTS, 0), kit.mend_one(PARTS, 1), kit.roll_back())

"""The deployment manifest of the serving API: `serving/deploy.env` of the workspace, which both runtimes go by.

It is an environment file as Compose reads one: `NAME=value` a line, no quotes, comments behind `#`. Two names are limits
of the container, which only containers have; everything else is the process's environment. What the table of services
sets itself goes before it.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from crashlab.errors import BuildFailed
from crashlab.stack.services import find

FILE = "serving/deploy.env"
MEMORY, CPUS = "SERVING_MEMORY", "SERVING_CPUS"
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_SIZE = re.compile(r"(\d+)([mg])b?", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(\.\d+)?")
LEAST_MB = 32
"""Docker starts no container with less than 6 MB, and Python no API with less than this."""


@dataclass(frozen=True)
class Manifest:
    """What a manifest says: limits in megabytes and processors, and the variables, the limits' own included."""

    memory_mb: int = find("serving").memory_mb
    cpus: float = find("serving").cpus
    variables: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> Manifest:
    """Read a manifest. Raises BuildFailed with every line that is none."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        name, separator, value = entry.partition("=")
        if not separator or not _NAME.fullmatch(name):
            wrong.append(f"line {number} is not NAME=value")
        found[name] = value.split(" #")[0].strip()
    size = _SIZE.fullmatch(found.get(MEMORY, f"{find('serving').memory_mb}m"))
    cpus = found.get(CPUS, str(find("serving").cpus))
    megabytes = int(size[1]) * (1024 if size[2].lower() == "g" else 1) if size else 0
    if megabytes < LEAST_MB:
        wrong.append(f"{MEMORY} is not a size of {LEAST_MB}m at least, such as 512m or 1g")
    if not _NUMBER.fullmatch(cpus) or not float(cpus):
        wrong.append(f"{CPUS} is not a number of processors, such as 0.5")
    wrong += [
        f"{name} is not a whole number above 0"
        for name in ("WORKERS", "THREADS")
        if name in found and not (found[name].isdigit() and int(found[name]))
    ]
    if wrong:
        raise BuildFailed(f"{FILE} cannot be deployed: {'; '.join(wrong)}.", "Mend the file, then deploy again.")
    return Manifest(megabytes, float(cpus), found)


def read(code: Path) -> Manifest:
    """Read the manifest of the code in a folder; the table's limits and nothing else where it has none."""
    path = code / FILE
    return parse(path.read_text(encoding="utf-8")) if path.is_file() else Manifest()

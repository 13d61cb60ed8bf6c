"""Results in the formats of the systems that instructors keep grades in.

Sources of the formats: Gradescope, Autograder specifications, `results.json`; Canvas, Importing grades by CSV; Moodle,
Grade import; nbgrader, `nbgrader export`, CSV plugin.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from crashlab import final
from crashlab.errors import UsageError
from crashlab.final import Final
from crashlab.model import Item
from crashlab.regrade import bundles

Format = Literal["gradescope", "canvas", "moodle", "nbgrader"]
Roster = Mapping[str, Mapping[str, str]]
"""Rows of a class list by the author's name as it stands in submissions."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the beginning of a cell (OWASP, CSV injection)."""


def collect(folder: Path) -> list[Final]:
    """Return the result of every graded submission below a folder, in the order of their arrival."""
    found = [final.result(each) for each in bundles(folder) if (each / "verdict.json").is_file()]
    return sorted(found, key=lambda each: (each.received_at, each.incident))


def best(results: Iterable[Final]) -> list[Final]:
    """Keep one result per author: a pass before none, then the higher score, then the earlier."""
    chosen: dict[str, Final] = {}
    for each in results:
        known = chosen.get(each.author)
        if known is None or (each.passed, each.score) > (known.passed, known.score):
            chosen[each.author] = each
    return [chosen[name] for name in sorted(chosen)]


def roster(path: Path) -> Roster:
    """Read a class list: CSV with a column `author` and others by the names of the export. Raises UsageError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path.name} cannot be read: {error}.", "A class list is CSV in UTF-8.") from error
    if not rows or "author" not in rows[0]:
        raise UsageError(
            f"{path.name} has no column `author`.", "It holds the name that is given with `submit --author`."
        )
    return {row["author"].strip(): {key: (value or "").strip() for key, value in row.items() if key} for row in rows}


def feedback(result: Final) -> str:
    """Return one line per item that was not given in full, and every override with its reason."""
    lines = []
    last = {entry.item: entry for entry in result.overrides}
    for item in result.verdict.items:
        entry = last.get(item.id)
        if entry is not None:
            was = "not graded" if entry.automatic is None else f"{entry.automatic:g}"
            lines.append(
                f"{item.title}: {entry.points:g} of {item.max_points:g} (automatic: {was}; {entry.author}: {entry.reason})"
            )
        elif item.points is None or item.points < item.max_points:
            lines.append(f"{item.title}: {_points(item)}. {item.improve}".strip())
    return "\n".join(lines)


def _points(item: Item) -> str:
    return "not graded" if item.points is None else f"{item.points:g} of {item.max_points:g}"


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def gradescope(results: Sequence[Final], _: Roster, assignment: str) -> str:
    """One submission as `results.json`. Raises UsageError for several: Gradescope grades one at a time."""
    if len(results) != 1:
        raise UsageError(
            f"Gradescope takes one submission, and there are {len(results)}.", "Give the folder of one submission."
        )
    result = results[0]
    last = {entry.item: entry for entry in result.overrides}
    tests = []
    for item in result.verdict.items:
        entry = last.get(item.id)
        points = entry.points if entry else item.points
        said = [f"You wrote: {item.quote}" if item.quote else "", item.observed, item.improve]
        if entry:
            said.append(f"Set by {entry.author}: {entry.reason}")
        test: dict[str, object] = {
            "name": item.title, "number": item.id, "max_score": item.max_points,
            "output": "\n".join(filter(None, said)) or item.status, "visibility": "visible",
        }  # fmt: skip
        if points is not None:
            test |= {"score": points, "status": "passed" if points >= item.max_points else "failed"}
        tests.append(test)
    output = result.verdict.reason or f"{assignment}: {'passed' if result.passed else 'not passed'}."
    made = {
        "score": result.score,
        "output": output,
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def canvas(results: Sequence[Final], known: Roster, assignment: str) -> str:
    """Canvas gradebook: the five columns that identify a student, one column for the assignment, and its maximum."""
    head = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    rows: list[Sequence[object]] = [("    Points Possible", "", "", "", "", 100)]
    for each in best(results):
        who = known.get(each.author, {})
        rows.append((who.get("Student") or each.author, *(who.get(name, "") for name in head[1:]), each.score))
    return _csv((*head, assignment), rows)


def moodle(results: Sequence[Final], known: Roster, assignment: str) -> str:
    """Moodle grade import: `email` and `idnumber` map to users; grade and feedback follow."""
    rows = []
    for each in best(results):
        who = known.get(each.author, {})
        email = who.get("email") or (each.author if "@" in each.author else "")
        rows.append((email, who.get("idnumber", ""), each.author, each.score, feedback(each)))
    return _csv(("email", "idnumber", "fullname", assignment, f"{assignment} feedback"), rows)


def nbgrader(results: Sequence[Final], known: Roster, assignment: str) -> str:
    """The columns of nbgrader's CSV export."""
    head = (
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
        "late_submission_penalty", "score", "max_score",
    )  # fmt: skip
    rows = []
    for each in best(results):
        who = known.get(each.author, {})
        names = (who.get("student_id") or each.author, who.get("last_name", ""), who.get("first_name", ""))
        when = (who.get("duedate", ""), each.received_at.isoformat())
        rows.append((assignment, *when, *names, who.get("email", ""), each.verdict.score, 0.0, each.score, 100.0))
    return _csv(head, rows)


FORMATS: dict[str, Callable[[Sequence[Final], Roster, str], str]] = {
    "gradescope": gradescope,
    "canvas": canvas,
    "moodle": moodle,
    "nbgrader": nbgrader,
}
"""Writers by name: results, class list and the assignment's title to text."""


def export(folder: Path, kind: str, *, known: Roster | None = None, assignment: str = "Crashlab") -> str:
    """Write the results below a folder in one of the formats. Raises UsageError for an unknown one."""
    if kind not in FORMATS:
        raise UsageError(f"There is no format {kind!r}.", f"Formats: {', '.join(FORMATS)}.")
    return FORMATS[kind](collect(folder), known or {}, assignment)

"""A scenario's written answers: Jinja2 templates filled with the truth and the facts of one incident.

A name is looked up in the scenario's own `answers/` and then in `scenarios/_parts/`, whose files every scenario shares:
whole answers that are wrong everywhere, and passages to include. In a template, `truth` is the truth, `brief` the brief,
`alerts` its alerts by rule, `workload` the workload, `loss` its quality metric with `name`, `title` and `unit`, `value(selector)` a fact of the broken system, `cite(selector)` the
same fact as a citation, `at(moment)` a moment as text, and `mended` the moment that answers give for their fix.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from crashlab.errors import StateError
from crashlab.model import Brief, Evidence, Truth, Value
from crashlab.workload import Workload

REFERENCE = "reference.md"
PARTS = "_parts"
"""Folder in the catalogue of what several scenarios' answers share."""
OWN_TABLE = "own_table"
"""Folder in a scenario's answers of those for a person's own table."""
MENDED = timedelta(hours=9)
"""How long after the replayed week an answer says that its fix was deployed."""


def citation(selector: str, value: Value) -> str:
    """Write a fact the way a post-mortem cites it."""
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"[{selector}={shown}]"


def places(folder: Path, *, own: bool = False) -> tuple[Path, ...]:
    """Folders in which the answers of the scenario in `folder` are looked up, in this order.

    With `own`, for a workload of a person's own table, those that are written for one come first.
    """
    found = (folder / "answers", folder.parent / PARTS)
    return (folder / "answers" / OWN_TABLE, *found) if own else found


def exists(folder: Path, file: str, *, own: bool = False) -> bool:
    """Whether the scenario in `folder` has an answer of this name, its own or a shared one."""
    return any((place / file).is_file() for place in places(folder, own=own))


def at(moment: datetime) -> str:
    """Write a moment, without its zone, the way answers do."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def render(folder: Path, file: str, truth: Truth, brief: Brief, broken: Evidence, workload: Workload) -> str:
    """Fill one answer of the scenario in `folder`.

    Raises StateError where it asks for a fact that was not measured or has no such file.
    """
    from grader.repair import METRICS

    def value(selector: str) -> Value:
        if selector not in broken.facts:
            raise StateError(f"{file} cites `{selector}`, which the broken system does not have.", "Mend the answer.")
        return broken.facts[selector]

    def cite(selector: str) -> str:
        return citation(selector, value(selector))

    metric = workload.quality.metric
    loss = {"name": metric, "title": METRICS[metric], "unit": workload.unit if metric == "mae" else ""}
    helpers: dict[str, Callable[..., object]] = {"value": value, "cite": cite, "at": at}
    environment = Environment(
        loader=FileSystemLoader(places(folder, own=bool(truth.own_alerts))),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 the result is Markdown and is escaped where it is shown
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(file).render(
            truth=truth,
            brief=brief,
            alerts={alert.rule: alert for alert in brief.alerts},
            workload=workload,
            loss=loss,
            mended=workload.calendar.week_end + MENDED,
            **helpers,
        )
    except TemplateError as error:
        raise StateError(f"{file} cannot be filled: {error}.", "Mend the answer.") from error

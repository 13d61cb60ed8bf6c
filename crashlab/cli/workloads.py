"""Workloads, made of tables of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crashlab.cli.base import Json, Runtime, app, command, document, progress, runtime_of, settings, show
from crashlab.errors import UsageError

if TYPE_CHECKING:
    from crashlab.tables.table import Task

workload_app = typer.Typer(
    help="Workloads: those of the project, and your own, made of a table.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(workload_app, name="workload")


@workload_app.command("list")
@command
def workload_list(as_json: Json = False) -> None:
    """Workloads there are."""
    from crashlab import sources
    from crashlab import workload as workloads

    given = settings()
    own = sources.own_names(given)
    found = [workloads.load(given.root, name) for name in workloads.names(given.root)]
    found += [workloads.load(sources.root(given, name), name) for name in own]
    if as_json:
        document([{"name": w.name, "title": w.title, "own": w.name in own, "metric": w.quality.metric} for w in found])
        return
    for item in found:
        print(f"{item.name:12} {item.quality.metric:9} {'your own' if item.name in own else 'built in':9} {item.title}")


@workload_app.command("add")
@command
def workload_add(
    file: Annotated[Path, typer.Argument(help="A CSV file with one heading for each column.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    name: Annotated[str | None, typer.Option(help="Name of the workload; made of the file's name by default.")] = None,
    time: Annotated[str | None, typer.Option(help="A column of times: the latest rows become production.")] = None,
    entity: Annotated[str | None, typer.Option(help="A column of identifiers, which is no feature.")] = None,
    task: Annotated[str | None, typer.Option(help="regression or classification, where the guess is wrong.")] = None,
    positive: Annotated[
        str | None, typer.Option(help="The class to predict the probability of; the rarest by default.")
    ] = None,
    runtime: Runtime = None,
    as_json: Json = False,
) -> None:
    """Make a workload of your own table, and train its models."""
    from crashlab.incident import open_stack
    from crashlab.tables import make

    if task not in (None, "regression", "classification"):
        raise UsageError(f"There is no task {task!r}.", "Use regression or classification.")
    chosen, given = runtime_of(runtime), settings()
    kind: Task | None = None if task is None else "regression" if task == "regression" else "classification"
    with progress("workload", 7, quiet=as_json) as tell:
        made = make.add(
            given, file, target, lambda home, root, called: open_stack(given, chosen, home, called, root),
            name=name, time=time, entity=entity, task=kind, positive=positive, runtime=chosen, report=tell,
        )  # fmt: skip
    if as_json:
        document(made.model_dump(mode="json"))
        return
    from crashlab import views

    what = f"probability of {made.target} = {made.positive}" if made.positive else made.target
    quality = ", ".join(f"{key} {value:.3g}" for key, value in made.quality.items())
    lines = [
        ("predicts", f"{what} ({made.task})"),
        ("rows", ", ".join(f"{count} {part}" for part, count in made.rows.items())),
        ("features", ", ".join(f"{key} ({kind})" for key, kind in made.columns.items())),
        ("left out", "; ".join(f"{key}: {why}" for key, why in made.left_out.items()) or "nothing"),
        ("healthy", f"{quality}; training and serving agree on every row"),
    ]
    show(views.places(lines))


@workload_app.command("remove")
@command
def workload_remove(
    name: Annotated[str, typer.Argument(help="A workload of your own.")], as_json: Json = False
) -> None:
    """Remove a workload of your own, and what was trained for it."""
    from crashlab.tables import make

    make.remove(settings(), name)
    if as_json:
        document({"removed": name})
    else:
        print(f"Removed {name}.")

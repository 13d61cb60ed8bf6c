"""Terms and post-mortems beyond one incident: for learners to look up, and for those who mark."""

from pathlib import Path
from typing import Annotated

import typer

from crashlab.cli.base import Id, Json, app, command, document, incident, show
from crashlab.cli.work import read_text
from crashlab.errors import UsageError


@app.command()
@command
def taxonomy(as_json: Json = False) -> None:
    """List every cause that a post-mortem can name."""
    import grader

    known = grader.taxonomy()
    if as_json:
        document(known.model_dump(mode="json"))
        return
    from crashlab import views

    made = views.table("Family", "Cause", "What it is")
    for cause in known.causes:
        made.add_row(cause.family, f"[bold]{cause.id}[/]", cause.definition)
    show(made, f"\nComponents: {', '.join(c.id for c in known.components)}")


@app.command()
@command
def glossary(
    term: Annotated[list[str] | None, typer.Argument(help="One term; all of them by default.")] = None,
    as_json: Json = False,
) -> None:
    """Look up terms, and what each is confused with."""
    import grader

    wanted = " ".join(term or []).lower()
    found = [e for e in grader.glossary() if not wanted or wanted in (e.term.lower(), *(s.lower() for s in e.synonyms))]
    if wanted and not found:
        close = [e.term for e in grader.glossary() if any(word in e.term.lower() for word in wanted.split())]
        raise UsageError(f"The glossary has no {wanted!r}.", f"Close: {', '.join(close[:8]) or 'nothing'}.")
    if as_json:
        document([entry.model_dump(mode="json") for entry in found])
        return
    from crashlab import views

    made = views.table("Term", "Definition", "Also called", "Confused with")
    for entry in found:
        made.add_row(
            f"[bold]{entry.term}[/]", entry.definition, ", ".join(entry.synonyms), ", ".join(entry.confused_with)
        )
    show(made)


@app.command()
@command
def review(file: Annotated[Path, typer.Argument(help="A post-mortem in Markdown.")], as_json: Json = False) -> None:
    """Check the post-mortem of an incident of your own.

    Nothing is said about its cause. Exit code 1 where something is missing.
    """
    import grader

    found = grader.review(read_text(file))
    if as_json:
        document(found.model_dump(mode="json"))
    else:
        from crashlab import views

        show(views.review(found))
    if not found.sound:
        raise typer.Exit(1)


@app.command()
@command
def override(
    item: Annotated[str, typer.Argument(help="Item of the verdict, for instance mechanism.")],
    points: Annotated[float, typer.Argument(help="Its points.")],
    author: Annotated[str, typer.Option(help="Who decides.")],
    reason: Annotated[str, typer.Option(help="Why; the learner reads it.")],
    folder: Annotated[
        Path | None, typer.Option(help="Folder of a submission; the incident's latest by default.")
    ] = None,
    identifier: Id = None,
    as_json: Json = False,
) -> None:
    """Set one item of a verdict by hand. The automatic value is kept beside it."""
    from crashlab import final

    if folder is None:
        one = incident(identifier)
        attempt, _, _ = one.verdict()
        folder = one.paths.attempt(attempt.number)
    entry = final.override(folder, item, points, author, reason)
    result = final.keep(folder)
    if as_json:
        document({"override": entry.model_dump(mode="json"), **final.summary(result)})
        return
    for line in final.lines(result):
        print(line)


@app.command()
@command
def regrade(
    folder: Annotated[Path, typer.Argument(help="Folder with bundles, at any depth.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report differences and write nothing.")] = False,
    rubric: Annotated[Path | None, typer.Option(help="TOML file with additions to scenarios' rubrics.")] = None,
    replan: Annotated[bool, typer.Option(help="Take each rubric from its scenario as it is today.")] = False,
    as_json: Json = False,
) -> None:
    """Grade frozen bundles again and report what differs. Verdicts that are replaced are kept beside the new ones."""
    from crashlab import regrade as regrader

    report = regrader.regrade(folder, rubric=rubric, replan=replan, dry_run=dry_run)
    if as_json:
        document(report.model_dump(mode="json"))
    else:
        from crashlab import views

        show(views.regrading(report))


@app.command()
@command
def export(
    kind: Annotated[str, typer.Argument(metavar="FORMAT", help="gradescope, canvas, moodle or nbgrader.")],
    folder: Annotated[Path, typer.Argument(help="Folder with graded bundles, at any depth.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; standard output by default.")] = None,
    roster: Annotated[
        Path | None, typer.Option(help="Class list: CSV with a column author and those of the format.")
    ] = None,
    assignment: Annotated[str, typer.Option(help="Title of the assignment.")] = "Crashlab",
    as_json: Json = False,
) -> None:
    """Write results for a gradebook.

    The best submission of each author, overrides included.
    """
    from crashlab import exports, store

    text = exports.export(folder, kind, known=exports.roster(roster) if roster else None, assignment=assignment)
    if out is not None:
        store.write_text(out, text)
    if as_json:
        document({"format": kind, "file": out, "text": None if out else text})
    elif out is None:
        print(text, end="")

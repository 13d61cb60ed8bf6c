"""What the documentation says, taken apart: pages, links, headings, and commands in fenced blocks."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
import typer.main

from crashlab.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("*/**/*.md"))
    if not any(part.startswith(".") or part == "build" for part in path.relative_to(ROOT).parts)
)
"""Every Markdown file of the project, the scenarios' written answers included."""
PROSE = [path for path in PAGES if path.parent.name != "answers"]
"""Pages that speak to a reader; an answer is what somebody might hand in."""
FENCE = re.compile(r"^ *(`{3,}|~{3,})[^\n]*\n(.*?)^ *\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")


def name(path: Path) -> str:
    """Path of a page below the project."""
    return path.relative_to(ROOT).as_posix()


def text(path: Path | str) -> str:
    """Text of a page; a string is a path below docs/."""
    return (DOCS / path if isinstance(path, str) else path).read_text(encoding="utf-8")


def fenced(markdown: str) -> list[str]:
    """Contents of the fenced code blocks."""
    return [match[2] for match in FENCE.finditer(markdown)]


def links(markdown: str) -> list[str]:
    """Targets of links and images outside of code."""
    plain = re.sub(r"`[^`\n]*`", "", FENCE.sub("", markdown))
    return LINK.findall(plain)


def anchors(markdown: str) -> set[str]:
    """Anchors of the headings, made as GitHub makes them."""
    found = re.findall(r"^#{1,6} +(.+?) *$", FENCE.sub("", markdown), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def section(markdown: str, heading: str) -> str:
    """Text below a heading, up to the next one of its level or above. Empty where there is no such heading."""
    match = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#{{1,2}} |\Z)", markdown, re.MULTILINE | re.DOTALL)
    return match[2] if match else ""


def rows(markdown: str) -> list[str]:
    """First cells of the tables' rows, without backticks."""
    return [cell.replace("`", "").strip() for cell in re.findall(r"^\| *([^|]+?) *\|", markdown, re.MULTILINE)]


def commands() -> dict[str, click.Command]:
    """Every command of the command line by name, those of a group with the group's name before theirs."""

    def below(group: click.Command, prefix: str) -> dict[str, click.Command]:
        found: dict[str, click.Command] = {}
        for name, command in dict(getattr(group, "commands", {})).items():
            found |= below(command, f"{prefix}{name} ") or {f"{prefix}{name}": command}
        return found

    return below(typer.main.get_command(app), "")


@dataclass(frozen=True)
class Call:
    """A command line shown on a page."""

    page: str
    line: str
    words: tuple[str, ...]


def calls(path: Path, program: str) -> list[Call]:
    """Calls of a program in the fenced blocks of a page, with or without a prompt, also within `$( )` and after pipes."""
    found = []
    for block in fenced(text(path)):
        for line in block.replace("\\\n", " ").splitlines():
            for match in re.finditer(rf"(?:^|[|&;(]|\$ )\s*{program} +([^|&;)#]*)", line):
                try:
                    words = tuple(shlex.split(match[1]))
                except ValueError:
                    words = tuple(match[1].split())
                found.append(Call(name(path), line.strip(), words))
    return found


def refused(call: Call) -> str:
    """Why a call of `crashlab` would not be understood; empty where it would be."""
    known = commands()
    if not call.words or call.words[0].startswith("-"):
        return ""
    called = next((name for name in (" ".join(call.words[:2]), call.words[0]) if name in known), None)
    if called is None:
        return f"no command {call.words[0]}"
    command = known[called]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help"}
    for word in call.words[1:]:
        if word == "--":
            break
        if word.startswith("-") and word.split("=")[0] not in options:
            return f"{call.words[0]} has no option {word}"
    return ""

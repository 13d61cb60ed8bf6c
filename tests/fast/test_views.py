"""What a person sees: nothing is swallowed, nobody's text is taken for markup, and a recording asks for nothing."""

import io
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from rich.console import Console

from crashlab import recording, views
from crashlab.demo import Step
from crashlab.model import Alert, Brief, Change, Item, Verdict

AT = datetime(2026, 9, 5, 7, 48, tzinfo=UTC)
ALERT = Alert(
    rule="prediction-quality", severity="page", summary="Predictions are off [by much].", observed=13.56, baseline=3.09,
    threshold=3.86, unit="minutes", since=AT,
)  # fmt: skip
BRIEF = Brief(
    incident="eta-000000", title="You are on call", workload="eta", level=2, blind=True, objective="Customers wait.",
    alerts=(ALERT,), timeline=(Change(at=AT, kind="commit", summary="Tidy [the] code", reference="1a2b3c4"),),
    onset_hint="It began.", commitment="0" * 64,
)  # fmt: skip


def item(name: str, points: float, most: float, **more: str) -> Item:
    status = "passed" if points == most else "failed"
    return Item(id=name, title=name.title(), status=status, points=points, max_points=most, **more)


ITEMS = (
    item("cause", 0, 30, quote="[bold]it[/] drifted", observed="No.", improve="Measure it."),
    item("object", 5, 5, quote="word " * 60),
    item("evidence", 15, 15),
    item("fix-parity", 4, 4, observed="0 of 80 differ."),
    item("blame", 1, 1),
)
VERDICT = Verdict(
    incident="eta-000000", scenario="unit-mismatch", graded=True, score=25, passed=False, items=ITEMS, notes=("Note.",)
)


def shown(*parts: object, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_brief_shows_every_number_and_change() -> None:
    text = shown(views.brief(BRIEF))
    assert f"Sealed answer: sha256 {BRIEF.commitment}" in text
    for part in (
        "prediction-quality",
        "(page)",
        "13.6",
        "3.09",
        "3.86",
        "Sat 05 Sep 07:48",
        "1a2b3c4",
        "[the]",
        "It began.",
    ):
        assert part in text
    assert "[by much]" in " ".join(text.split())


def test_a_verdict_is_added_up_by_section() -> None:
    text = shown(views.verdict(VERDICT))
    for section, points in (("Diagnosis", "5/35"), ("Evidence", "15/15"), ("Fix", "4/4"), ("Form and hints", "1/1")):
        assert re.search(rf"^ +{section} +{points} *$", text, re.MULTILINE), section
    assert "NOT PASSED" in text
    assert "25.0 of 100" in text
    assert "Note." in text


def test_a_section_whose_items_lie_apart_has_one_heading() -> None:
    apart = VERDICT.model_copy(update={"items": (*ITEMS, item("discriminator", 2, 5))})
    text = shown(views.verdict(apart))
    assert re.findall(r"^ +Evidence +(\S+) *$", text, re.MULTILINE) == ["17/20"]


def test_the_learners_words_are_not_markup() -> None:
    text = shown(views.verdict(VERDICT))
    assert "“[bold]it[/] drifted”" in text
    assert "→ Measure it." in text
    assert "…”" in text


def test_a_short_verdict_has_one_line_for_each_item() -> None:
    lines = shown(views.verdict(VERDICT, short=True), width=recording.WIDTH).splitlines()
    for one in ITEMS:
        assert sum(one.title in line for line in lines if "/" in line) >= 1
    assert not any("Measure it." in line for line in lines)
    head = next(i for i, line in enumerate(lines) if "Item" in line)
    assert len(lines) - head == 2 + len(ITEMS) + 4 + len(VERDICT.notes)


def test_an_ungraded_verdict_says_why() -> None:
    ungraded = VERDICT.model_copy(update={"graded": False, "reason": "No [front] matter.", "items": ()})
    assert "No [front] matter." in shown(views.verdict(ungraded))


def test_a_recording_cuts_long_texts_and_says_so() -> None:
    step = Step(title="The post-mortem", text="\n".join(f"line {i}" for i in range(30)))
    whole, short = shown(*views.step(step)), shown(*views.step(step, short=True))
    assert "line 29" in whole
    assert "more lines" not in whole
    assert "line 29" not in short
    assert f"… {30 - views.LONG} more lines" in short


def test_a_picture_is_whole_and_asks_for_nothing() -> None:
    step = Step(title="Is it <b>right</b>?", command="measure parity mismatch", text="[parity mismatch=0]")
    drawn = recording.svg([*views.step(step, short=True), views.brief(BRIEF)], "crashlab demo")
    tree = ET.fromstring(drawn)  # noqa: S314 made here
    text = "".join(tree.itertext()).replace("\N{NO-BREAK SPACE}", " ")
    assert "$ crashlab measure parity mismatch" in text
    assert "[parity mismatch=0]" in text
    assert "Is it <b>right</b>?" in text
    assert set(re.findall(r"https?://[^\"'\s)<]+", drawn)) == {"http://www.w3.org/2000/svg"}
    assert not {"@font-face", "@import", "<script"} & set(re.findall(r"@font-face|@import|<script", drawn))

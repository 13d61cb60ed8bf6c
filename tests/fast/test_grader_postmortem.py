"""Reading the front matter: what is accepted, and what is refused with which reason."""

import pytest

from grader import grade, parse, questions, template
from grader.reader import read, section_of
from tests.fast import grader_fixtures as fixtures

BOMB = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\ncause: *c\n"


def test_a_claim_is_read() -> None:
    claim = parse(
        "---\ncause: Unit_Mismatch\ncomponent: serving-code\nobject: distance_km\nruled_out: [wrong-alias]\n---\nHello"
    ).claim
    assert (claim.cause, claim.component, claim.object) == ("unit-mismatch", "serving-code", "distance_km")
    assert claim.ruled_out == ("wrong-alias",)


def test_other_ids_of_a_cause_are_understood() -> None:
    assert (
        parse("---\ncause: covariate-drift\ncontributing: [false alarm, impute-mismatch]\n---\n").claim.cause
        == "covariate-shift"
    )


def test_windows_line_ends_and_a_byte_order_mark_are_accepted() -> None:
    read_back = parse("\ufeff---\r\ncause: wrong-alias\r\n---\r\nHello\r\n")
    assert read_back.claim.cause == "wrong-alias"
    assert "\r" not in read_back.body


def test_what_is_no_id_is_asked_about_at_once_and_costs_nothing_else() -> None:
    text = "---\ncause: train-serve-skew\ncomponent: kitchen\ncolour: red\nruled_out: [overload, weather, drift]\n---\nHello"
    found = parse(text)
    assert found.claim.cause == ""
    assert found.claim.component == ""
    assert len(found.questions) == len(questions(text)) == 2
    assert "unit-mismatch" in found.questions[0]
    assert "kitchen" in found.questions[1]
    assert "capacity-shortage" in found.claim.ruled_out
    assert {"covariate-shift", "concept-drift"} <= set(found.claim.ruled_out)
    assert any("weather" in note and "costs nothing" in note for note in found.notes)
    assert any("colour" in note for note in found.notes)
    verdict = grade(fixtures.bundle("unit-mismatch", text))
    assert verdict.graded
    assert any("kitchen" in note for note in verdict.notes)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("unitmismatch", "unit-mismatch"), ("Overload", "capacity-shortage"), ("timezone skew", "timezone-offset"), ("units", "unit-mismatch"),
     ("event-loop-blockng", "event-loop-blocking"), ("[unit-mismatch]", "unit-mismatch"), ("~", ""), ("null", ""), ("registry", "")],
)  # fmt: skip
def test_everyday_words_and_slips_are_understood_where_they_mean_one_cause(written: str, meant: str) -> None:
    assert parse(f"---\ncause: {written}\n---\n").claim.cause == meant


@pytest.mark.parametrize(
    "value", ["9" * 5000, "1" + ":0" * 5000, "190:20:30", "!!int 3", '"\\UFFFFFFFF"', '"\\uD800"', "0x" + "f" * 5000, "1e999999999", "2020-99-99"]
)  # fmt: skip
def test_a_value_is_text_until_it_is_needed(value: str) -> None:
    for key in ("cause", "component", "object", "ruled_out"):
        verdict = grade(fixtures.bundle("unit-mismatch", f"---\n{key}: {value}\n---\nHello\n"))
        assert verdict.graded or verdict.reason.endswith(".")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "front matter"),
        ("Just prose.", "front matter"),
        ("---\ncause: x", "not closed"),
        (f"---\n{BOMB}---\n", "anchors or aliases"),
        ("---\ncause: !!python/object/apply:os.system [x]\n---\n", "tags"),
        ("---\ncause: !x y\n---\n", "tags"),
        ("---\ncause: [[[[[[[[deep]]]]]]]]\n---\n", "nested too deeply"),
        ("---\n" + "[" * 5000 + "\n---\n", "nested too deeply"),
        ("---\ncause: [unclosed\n---\n", "not valid YAML"),
        ("---\ncause: a\ncause: b\n---\n", "twice"),
        ("---\n- a\n- b\n---\n", "keys and values"),
        ("---\ncause: {a: b}\n---\n", "cause"),
        ("---\n[a, b]: c\n---\n", "not a word"),
        ("---\nobject: " + "x" * 40_000 + "\n---\n", "limit is 30,000"),
        ("---\nobject: " + "x" * 400 + "\n---\n", "longer than"),
        ("---\ncause: \x00\n---\n", "not valid YAML"),
        ("---\nruled_out: [" + ", ".join(["wrong-alias"] * 400) + "]\n---\n", "too long"),
        ("x" * 1_000_001, "limit"),
        ("---\ncause: wrong-alias\n---\n" + "\u00e4" * 500_000, "limit"),
    ],
)
def test_malformed_submissions_are_not_graded_with_a_reason(text: str, reason: str) -> None:
    verdict = grade(fixtures.bundle("unit-mismatch", text))
    assert not verdict.graded
    assert reason in verdict.reason
    assert verdict.reason.endswith(".")
    assert not verdict.passed
    assert verdict.score == 0
    assert {item.points for item in verdict.items} == {None}
    assert {item.status for item in verdict.items} == {"not graded"}


def test_ten_megabytes_are_refused_at_once() -> None:
    verdict = grade(fixtures.bundle("unit-mismatch", fixtures.right_answer("unit-mismatch") + "word " * 2_000_000))
    assert not verdict.graded
    assert "limit" in verdict.reason


def test_the_empty_template_is_graded_and_earns_nothing_for_words() -> None:
    bundle = fixtures.bundle("unit-mismatch", "")
    verdict = grade(fixtures.bundle("unit-mismatch", bundle.template))
    assert verdict.graded
    assert not verdict.passed
    assert sum(item.points or 0 for item in verdict.items if not item.id.startswith("fix-")) == 0


def test_the_template_leads_through_the_post_mortem() -> None:
    text = template(fixtures.brief("unit-mismatch"))
    claim = parse(text).claim
    assert (claim.cause, claim.component, claim.object, claim.ruled_out) == ("", "", "", ())
    assert "crashlab taxonomy" in text
    for heading in ("Summary", "Impact", "Timeline", "Detection", "Root cause", "Evidence", "Resolution", "Prevention"):
        assert f"\n## {heading}\n" in text


def test_a_title_cannot_break_the_template() -> None:
    told = fixtures.brief("unit-mismatch").model_copy(update={"title": "One\n---\ntwo"})
    assert parse(template(told)).body.count("\n# One --- two\n") == 1


def test_hidden_text_is_not_read() -> None:
    body = "Seen. <!-- hidden one --> <span hidden>hidden two</span> <script>hidden three</script>\n\n<!-- hidden four"
    text = " ".join(sentence.text for sentence in read(body).sentences)
    assert "Seen" in text
    assert "hidden" not in text


def test_blocks_are_told_apart() -> None:
    kinds = {
        s.text: s.kind
        for s in read("# H\n\nProse.\n\n- item\n\n> quote\n\n    code\n\n| a |\n|---|\n| cell |\n").sentences
    }
    assert kinds == {
        "H": "heading",
        "Prose.": "prose",
        "item": "item",
        "quote": "quote",
        "code": "code",
        "a": "cell",
        "cell": "cell",
    }


def test_sentences_end_where_they_end() -> None:
    texts = [
        s.text
        for s in read("In preprocess.py it is 1.609, e.g. in miles. Version 2.1.0 is right! Is it? Yes.").sentences
    ]
    assert texts == ["In preprocess.py it is 1.609, e.g. in miles.", "Version 2.1.0 is right!", "Is it?", "Yes."]


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Root cause", "root cause"),
        ("What we ruled out", "ruled out"),
        ("Action items", "prevention"),
        ("Fix", "resolution"),
        ("TL;DR", "summary"),
    ],
)
def test_headings_are_understood(heading: str, section: str) -> None:
    assert section_of(heading) == section

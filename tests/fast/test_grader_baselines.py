"""Answers without a diagnosis or without a fix do not pass, on any proved scenario; the right ones do."""

from tests.grader import bench, lazy, proved


def test_every_case_shows_its_fault_in_what_decides() -> None:
    """Else an answer would fail for want of evidence and not for what it is."""
    cases = proved.cases()
    assert len(cases) == len(proved.SEEDS) * len({case.known.name for case in cases})
    for case in cases:
        broken, healthy = case.broken.facts, case.healthy.facts
        moved = [name for name in case.truth.discriminating if broken[name] != healthy[name]]
        assert moved or not case.truth.needs_change, case.known.name


def test_nothing_but_the_right_answer_with_the_right_fix_passes() -> None:
    """One test, as everything that is graded here is graded once."""
    found = {name: lazy.graded(name) for name in lazy.ANSWERS}
    repairable = {case.known.name for case in proved.cases() if case.truth.needs_change}
    assert [name for name, rows in found.items() if not {row.scenario for row in rows} >= repairable] == []
    right = found.pop(lazy.RIGHT)
    assert [row for row in right if not row.passed or row.score < 90] == []
    assert {name: row for name, rows in found.items() for row in rows if row.passed} == {}
    # What is half right lacks the other half, and nothing else.
    assert {row.lacks for row in found["the right prose without a citation"]} == {("evidence",)}
    assert {row.lacks for row in found["the right diagnosis without a fix"]} == {("fix",)}
    page = bench.PAGE.read_text(encoding="utf-8")
    assert bench.with_section(page) == page, "run `make bench-grader ARGS='--lazy --write'`"

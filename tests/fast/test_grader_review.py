"""Reviewing a post-mortem of an incident that nobody injected."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import review
from grader.reviewing import SECTIONS, Review

SOUND = """\
# Checkout recommendations empty for returning customers

## Summary
On 12 March returning customers saw no recommendations for 95 minutes, because a release of the profile service renamed
a field that the ranking service reads.

## Impact
From 09:10 to 10:45 some 41,000 sessions (38 % of all) were shown the fallback list, and orders from recommendations fell
by a fifth.

## Timeline
- 09:05 profile service 4.12 is deployed; it renames `lastSeen` to `last_seen_at`.
- 09:10 the share of fallback answers begins to rise.
- 09:31 the alert on the fallback share fires and pages the on-call engineer.
- 10:20 the renamed field is found in the payload log.
- 10:45 the mapping is deployed and the share is back to normal.

## Detection
An alert on the share of fallback answers fired 21 minutes after the release; a contract test would have failed before it.

## Root cause
The ranking service computes recency from `lastSeen`. Release 4.12 of the profile service sends `last_seen_at` instead,
so the reader returned null for each profile, and the ranking model was given the default of 10,000 days. Because the
schema is not checked at the boundary, nothing was rejected.

## Evidence
- Payload log at 09:12: `last_seen_at` in 100 % of the rows, `lastSeen` in none.
- The dashboard of feature nulls shows 0.2 % before and 100 % after 09:05.
- Commit 7be12aa of the profile service renames the field.

## Resolution
We map both names at ingestion (commit 91fe3c0) and replayed a hundred payloads of that morning: no null is left.

## Prevention
- Add a contract test to the pipeline of the profile service that fails the build when a field is renamed. Owner: platform team, due 2026-04-02.
- Alert when the null share of any ranking feature exceeds 5 % for ten minutes. Owner: ranking team, due 2026-03-25.
"""


def by_id(text: str) -> dict[str, str]:
    return {remark.id: remark.status for remark in review(text).remarks}


def test_a_good_one_is_sound_with_and_without_front_matter() -> None:
    assert review(SOUND).sound, review(SOUND)
    assert review(f"---\nauthors: [on-call]\nseverity: 2\n---\n{SOUND}").sound


def test_it_says_nothing_about_the_cause() -> None:
    said = review(SOUND).model_dump_json()
    assert "cannot be seen from a text" in said
    assert "upstream-schema-change" not in said


@pytest.mark.parametrize(
    ("before", "after", "item", "expected"),
    [
        ("## Detection\nAn alert", "## Remarks\nAn alert", "structure", "partial"),
        ("for 95 minutes", "for 95 minutes", "impact", "passed"),
        ("some 41,000 sessions (38 % of all) were", "for 20 minutes sessions were", "impact", "partial"),
        ("From 09:10 to 10:45 some 41,000 sessions (38 % of all) were", "Sessions were", "impact", "failed"),
        ("- 09:31 the alert", "- 08:31 the alert", "timeline", "partial"),
        ("- 10:45 the mapping", "- 09:20 the mapping", "timeline", "partial"),
        ("- 09:31 the alert on the fallback share fires", "- 09:31 somebody looks", "timeline", "passed"),
        ("The on-call", "The on-call", "blameless", "passed"),
        ("We map both names", "The intern broke it by human error; we map both names", "blameless", "failed"),
        (" Owner: platform team, due 2026-04-02.", "", "actions", "passed"),
    ],
)
def test_one_change_moves_one_item(before: str, after: str, item: str, expected: str) -> None:
    changed = SOUND.replace(before, after)
    assert by_id(changed)[item] == expected
    others = {name: grade for name, grade in by_id(changed).items() if name != item}
    assert {name for name, grade in others.items() if grade != "passed"} <= {"structure", "detection"}


def test_a_symptom_is_no_root_cause() -> None:
    head, rest = SOUND.split("## Root cause")
    _, tail = rest.split("## Evidence")
    changed = (
        f"{head}## Root cause\nLatency was high and requests were slow. Many timeouts were seen.\n## Evidence{tail}"
    )
    assert by_id(changed)["mechanism"] == "failed"


def test_naming_without_explaining_is_half_a_root_cause() -> None:
    head, rest = SOUND.split("## Root cause")
    _, tail = rest.split("## Evidence")
    changed = f"{head}## Root cause\nThe release of the profile service was the release 4.12.\n## Evidence{tail}"
    assert by_id(changed)["mechanism"] == "partial"


def test_vague_actions_and_vague_words() -> None:
    head, _ = SOUND.split("## Prevention")
    assert by_id(f"{head}## Prevention\nWe will be more careful and pay attention.")["actions"] == "failed"
    assert (
        by_id(SOUND.replace("Because the\nschema", "There was a data issue, and because the\nschema"))["terms"]
        == "partial"
    )
    assert by_id(f"{head}## Prevention\nAdd a contract test that fails the build.")["actions"] == "partial"


def test_a_near_miss_beside_the_precise_term_is_named() -> None:
    changed = SOUND.replace(
        "## Evidence", "This train/serve skew (unit mismatch) is data drift of the recency.\n\n## Evidence"
    )
    found = next(remark for remark in review(changed).remarks if remark.id == "terms")
    assert found.status == "partial"
    assert "data drift" in found.observed


@pytest.mark.parametrize(
    "text", ["", "---\n", "# Title only", "word " * 4000, "\x00\u200b", "## Impact\nTBD\n## Timeline\nTODO"]
)
def test_there_is_always_an_answer(text: str) -> None:
    found = review(text)
    assert isinstance(found, Review)
    assert not found.sound
    assert {remark.id for remark in found.remarks} >= {"structure", "impact", "timeline"}
    structure = found.remarks[0]
    assert all(name in structure.observed for name in SECTIONS)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=1500))
def test_any_text_is_reviewed(text: str) -> None:
    found = review(f"## Timeline\n{text}\n## Impact\n{text}")
    assert found == review(f"## Timeline\n{text}\n## Impact\n{text}")

"""Citations: their grammar, their tolerances, and what they are worth."""

import pytest

from crashlab.model import Bundle
from grader import citations, grade
from grader.proof import examine
from grader.reader import read
from tests.fast import grader_corpus as corpus
from tests.fast import grader_fixtures as fixtures


def outcome(bundle: Bundle, text: str) -> str:
    document = read(text)
    ((citation, sentence),) = document.citations
    return citations.check(citation, sentence, bundle).outcome


@pytest.fixture(scope="module")
def skewed() -> Bundle:
    return fixtures.bundle(
        "unit-mismatch", "", facts={"errors rate": 0.2, "serving up": True, "raw distance_m mean": 4700.0}
    )


@pytest.mark.parametrize(
    ("cited", "expected"),
    [
        ("[feature distance_km parity_ratio=0.6214]", "true"),
        ("[feature distance_km parity_ratio = 0.62]", "true"),
        ("[feature distance_km parity_ratio=0.70]", "false"),
        ("[ feature   distance_km parity_ratio=0.6214 ]", "true"),
        ("[FEATURE distance_km PARITY_RATIO=0.6214]", "true"),
        ("[feature parity_ratio distance_km=0.6214]", "true"),
        ("[feature distance_km parity_ratio=0.6214x]", "true"),
        ("[feature distance_km parity_mismatch=100%]", "true"),
        ("[feature distance_km parity_mismatch=0.98]", "true"),
        ("[feature distance_km parity_mismatch=0.9]", "false"),
        ("[registry alias=champion version=5]", "true"),
        ("[registry version alias=champion=5]", "true"),
        ("[registry alias=champion version=v5]", "true"),
        ("[registry alias=champion version=6]", "false"),
        ("[registry version=6 promotion=rejected]", "true"),
        ("[registry version=6 promotion=approved]", "false"),
        ("[latency p95_ms=34 ms]", "true"),
        ("[latency p95_ms=48]", "true"),
        ("[latency p95_ms=90]", "false"),
        ("[latency window=before p95_ms=33]", "true"),
        ("[latency p95_ms window=before=33]", "true"),
        ("[pin serving pandas=2.3.3]", "true"),
        ("[pin serving pandas=v2.3.3]", "true"),
        ("[pin serving pandas=2.3.4]", "false"),
        ("[quality mae=6.83]", "true"),
        ("[quality mae=6.9 minutes]", "true"),
        ("[quality mae=2.71]", "stale"),
        ("[quality labels=2,400]", "true"),
        ("[quality labels=900]", "false"),
        ("[errors rate=20%]", "true"),
        ("[errors rate=0.21]", "true"),
        ("[raw distance_m mean=4,700]", "true"),
        ("[serving up=yes]", "true"),
        ("[serving up=false]", "false"),
        ("[feature colour parity_ratio=1.0]", "uncheckable"),
        ("[quality mae=high]", "false"),
        ("[quality mae=nan]", "false"),
        ("[quality mae=1e400]", "false"),
    ],
)
def test_outcomes(skewed: Bundle, cited: str, expected: str) -> None:
    assert outcome(skewed, f"We measured {cited} there.") == expected


def test_a_family_that_could_not_be_measured_is_uncheckable_with_its_reason() -> None:
    bundle = fixtures.bundle("unit-mismatch", "")
    broken = bundle.broken.model_copy(update={"facts": {}, "failures": {"registry": "MLflow did not answer"}})
    bundle = bundle.model_copy(update={"broken": broken})
    ((citation, sentence),) = read("See [registry alias=champion version=5].").citations
    checked = citations.check(citation, sentence, bundle)
    assert (checked.outcome, checked.reason) == ("uncheckable", "MLflow did not answer")


def test_the_notebook_vouches_for_facts_that_no_snapshot_has() -> None:
    bundle = fixtures.bundle("unit-mismatch", "", notebook={"feature detour mean": 3.0})
    assert outcome(bundle, "It was [feature detour mean=3.0] then.") == "true"
    assert outcome(bundle, "It was [feature detour mean=9.0] then.") == "uncheckable"


def test_links_and_brackets_are_no_citations() -> None:
    assert not read("See [the page](http://x.example/?a=1), [1] and [ ] and a[0] = 3.").citations


def test_patterns_of_the_rubric() -> None:
    assert citations.matches("feature distance_km *", "feature distance_km parity_ratio")
    assert citations.matches("feature * parity_ratio", "feature distance_km parity_ratio")
    assert citations.matches("feature distance_km parity_*", "feature distance_km parity_mismatch")
    assert citations.matches("latency *", "latency window=before p95_ms")
    assert not citations.matches("latency p95_ms", "latency window=before p95_ms")
    assert not citations.matches("feature * parity_ratio", "feature distance_km mean")
    assert not citations.matches("pin serving pandas", "pin model pandas")


def quality(scenario: str, evidence: str, **changes: object) -> tuple[float, bool]:
    proof = examine(read(evidence), fixtures.bundle(scenario, "", **changes))
    return proof.quality, proof.discriminating


def test_three_true_supporting_citations_are_full_marks() -> None:
    assert quality("unit-mismatch", corpus.EVIDENCE["unit-mismatch"]) == (1.0, True)


def test_repeating_one_citation_does_not_make_three() -> None:
    line = "- the ratio is the same in every row [feature distance_km parity_ratio=0.6214]\n"
    assert quality("unit-mismatch", line * 3)[0] == pytest.approx(1 / 3, abs=0.01)


def test_irrelevant_citations_earn_nothing() -> None:
    text = "- the library is here [pin serving numpy=2.3.5]\n- it has a version [serving python=3.11.9]\n"
    assert quality("unit-mismatch", text) == (0.0, False)


def test_a_false_citation_costs() -> None:
    text = corpus.EVIDENCE["unit-mismatch"]
    assert quality("unit-mismatch", text + "- and the pins differ [pin serving pandas=9.9.9]\n")[0] == pytest.approx(
        0.66
    )
    assert quality("unit-mismatch", text + "- the error is fine [quality window=before mae=99]\n")[0] == pytest.approx(
        0.66
    )


def test_a_stale_citation_costs_less_than_a_false_one() -> None:
    text = corpus.EVIDENCE["unit-mismatch"] + "- both sides agree now [parity mismatch=0]\n"
    assert quality("unit-mismatch", text)[0] == pytest.approx(0.80)


def test_a_dump_dilutes_to_nothing() -> None:
    facts = fixtures.bundle("unit-mismatch", "").broken.facts
    dump = "".join(f"- the stack says [{key}={value}]\n" for key, value in facts.items())
    assert quality("unit-mismatch", dump) == (0.0, False)


def test_bare_citations_are_worth_half() -> None:
    text = "[feature distance_km parity_ratio=0.6214] [feature distance_km parity_mismatch=1.0] [quality mae=6.8]"
    assert quality("unit-mismatch", text)[0] == pytest.approx(0.5)


def test_citations_in_code_and_quotes_are_evidence() -> None:
    text = "> [feature distance_km parity_ratio=0.6214]\n\n```\n[quality mae=6.8]\n```\n"
    quality_found, deciding = quality("unit-mismatch", text)
    assert quality_found == pytest.approx(1 / 3, abs=0.01)
    assert deciding


def test_facts_that_changed_are_relevant_where_no_rubric_says_so() -> None:
    truth = {"supporting": (), "discriminating": ()}
    text = (
        "- the ratio is not one [feature distance_km parity_ratio=0.62]\n- a pin is a pin [pin serving numpy=2.3.5]\n"
    )
    assert quality("unit-mismatch", text, truth=truth)[0] == pytest.approx(1 / 3, abs=0.01)


def test_the_verdict_marks_false_citations_in_the_learners_words() -> None:
    text = fixtures.right_answer("unit-mismatch").replace("parity_ratio=0.6214", "parity_ratio=0.9")
    item = next(item for item in grade(fixtures.bundle("unit-mismatch", text)).items if item.id == "evidence")
    assert "[feature distance_km parity_ratio=0.9] (false)" in item.quote
    assert "0.62" not in item.observed + item.improve

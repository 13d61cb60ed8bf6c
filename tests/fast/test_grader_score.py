"""What right, nearly right and wrong post-mortems score."""

import re

import pytest

from crashlab.model import Verdict
from grader import grade, taxonomy
from tests.fast import grader_corpus as corpus
from tests.fast import grader_fixtures as fixtures

ALL = [(scenario, voice) for scenario in corpus.RIGHT for voice in corpus.RIGHT[scenario]]


def points(verdict: Verdict) -> dict[str, float | None]:
    return {item.id: item.points for item in verdict.items}


def head_and_body(scenario: str) -> tuple[str, str]:
    _, head, body = fixtures.right_answer(scenario).split("---\n", 2)
    return head.strip(), body


def with_root_cause(scenario: str, prose: str, *, head: str = "", evidence: str | None = None) -> str:
    """The reference tail with another account of the cause."""
    tail = fixtures.right_answer(scenario).split("## Impact", 1)[1]
    cited = corpus.EVIDENCE[scenario] if evidence is None else evidence
    return fixtures.postmortem(
        head or corpus.HEADS[scenario], f"\n## Root cause\n{prose}\n\n## Evidence\n{cited}\n## Impact{tail}"
    )


@pytest.mark.parametrize("scenario", fixtures.SCENARIOS)
def test_a_right_answer_passes_with_nearly_all_points(scenario: str) -> None:
    verdict = grade(fixtures.bundle(scenario, fixtures.right_answer(scenario)))
    assert verdict.graded
    assert verdict.passed
    assert verdict.score >= 98, [item for item in verdict.items if item.points != item.max_points]
    assert sum(item.max_points for item in verdict.items) == 100


@pytest.mark.parametrize(("scenario", "voice"), ALL)
def test_the_same_finding_in_other_voices_scores_within_five_points(scenario: str, voice: str) -> None:
    verdict = grade(fixtures.bundle(scenario, corpus.right(scenario, voice)))
    assert verdict.passed
    assert verdict.score >= 95, [item for item in verdict.items if item.points != item.max_points]


@pytest.mark.parametrize("scenario", fixtures.SCENARIOS)
def test_every_lost_point_is_explained(scenario: str) -> None:
    verdict = grade(fixtures.bundle(scenario, fixtures.bundle(scenario, "").template))
    assert not verdict.passed
    for item in verdict.items:
        if item.points is not None and item.points < item.max_points:
            assert item.improve, item


def test_the_learners_own_words_are_quoted() -> None:
    text = fixtures.right_answer("unit-mismatch")
    # Quoted is what a reader sees, without the marks of Markdown.
    flat = " ".join(text.replace("*", "").replace("`", "").split())
    verdict = grade(fixtures.bundle("unit-mismatch", text))
    quotes = {item.id: item.quote for item in verdict.items if item.quote and item.id != "evidence"}
    assert {"cause", "component", "mechanism", "prevention", "impact"} <= set(quotes)
    for quote in quotes.values():
        assert quote.removesuffix("…") in flat


def test_a_number_says_the_same_as_its_words() -> None:
    prose = (
        "There is a unit mismatch in preprocess.py: distance_km at serving is the training side's value divided by "
        "a factor of 1.609 in every row."
    )
    verdict = grade(fixtures.bundle("unit-mismatch", with_root_cause("unit-mismatch", prose)))
    assert points(verdict)["mechanism"] == 10
    wrong = grade(
        fixtures.bundle("unit-mismatch", with_root_cause("unit-mismatch", prose.replace("1.609", "1.44"), evidence=""))
    )
    assert points(wrong)["mechanism"] == 0


def test_a_right_id_without_prose_is_not_enough() -> None:
    head, _ = head_and_body("unit-mismatch")
    verdict = grade(fixtures.bundle("unit-mismatch", fixtures.postmortem(head, "")))
    assert not verdict.passed
    assert points(verdict)["cause"] == pytest.approx(30 * 0.4 * 0.4)


def test_a_right_diagnosis_without_evidence_does_not_pass() -> None:
    text = re.sub(r"\[[^\[\]]+=[^\[\]]+\]", "", fixtures.right_answer("unit-mismatch"))
    verdict = grade(fixtures.bundle("unit-mismatch", text))
    assert points(verdict)["evidence"] == 0
    assert not verdict.passed


@pytest.mark.parametrize(
    ("scenario", "declared", "prose"),
    [
        (
            "unit-mismatch",
            "imputation-mismatch",
            "Serving fills missing distances with zero, an imputation mismatch in preprocess.py.",
        ),
        (
            "featurelib-pin",
            "dependency-version-mismatch",
            "The pandas version in serving differs: a dependency version mismatch of pandas 2.3.3.",
        ),
        (
            "wrong-alias",
            "stale-model-cache",
            "Serving holds a stale model cache, since the model was not reloaded after version 5.",
        ),
        (
            "blocked-event-loop",
            "thread-oversubscription",
            "Thread oversubscription: 8 threads compete because omp_num_threads is unset.",
        ),
    ],
)
def test_a_neighbouring_cause_earns_part_and_never_passes(scenario: str, declared: str, prose: str) -> None:
    head = re.sub("cause: .*", f"cause: {declared}", corpus.HEADS[scenario], count=1)
    verdict = grade(fixtures.bundle(scenario, with_root_cause(scenario, prose, head=head)))
    assert not verdict.passed
    assert 0 < (points(verdict)["cause"] or 0) <= 15


@pytest.mark.parametrize("scenario", fixtures.SCENARIOS)
def test_a_wrong_cause_earns_nothing_for_the_cause(scenario: str) -> None:
    declared = "memory-leak" if scenario != "blocked-event-loop" else "target-leakage"
    head = re.sub("cause: .*", f"cause: {declared}", corpus.HEADS[scenario], count=1)
    verdict = grade(
        fixtures.bundle(scenario, with_root_cause(scenario, "A memory leak grew in app.py for 3 days.", head=head))
    )
    assert points(verdict)["cause"] == 0
    assert points(verdict)["mechanism"] == 0
    assert not verdict.passed


def test_symptoms_are_not_a_cause() -> None:
    prose = (
        "The root cause was that the mean absolute error of 6.83 was above its threshold, so the system was degraded."
    )
    verdict = grade(fixtures.bundle("unit-mismatch", with_root_cause("unit-mismatch", prose)))
    assert points(verdict)["mechanism"] == 0
    assert (points(verdict)["cause"] or 0) <= 12
    assert not verdict.passed


def test_hints_cost_points_and_never_below_zero() -> None:
    text = fixtures.right_answer("unit-mismatch")
    free = grade(fixtures.bundle("unit-mismatch", text))
    hinted = grade(fixtures.bundle("unit-mismatch", text, hints=fixtures.hints(3, 4.5)))
    assert hinted.score == free.score - 7.5
    ruined = grade(fixtures.bundle("unit-mismatch", text, hints=fixtures.hints(*[20.0] * 9)))
    assert ruined.score == 0


def test_a_hedged_cause_is_worth_less() -> None:
    sure = "The unit mismatch in preprocess.py gives miles instead of kilometres."
    doubtful = (
        "It seems the unit mismatch in preprocess.py probably gives miles, apparently, I think, instead of kilometres."
    )
    one = grade(fixtures.bundle("unit-mismatch", with_root_cause("unit-mismatch", sure)))
    other = grade(fixtures.bundle("unit-mismatch", with_root_cause("unit-mismatch", doubtful)))
    assert (points(other)["cause"] or 0) < (points(one)["cause"] or 0)


def test_cause_and_effect_may_not_be_exchanged() -> None:
    right = "A unit mismatch in preprocess.py led to wrong predictions: miles came instead of kilometres."
    wrong = "Wrong predictions led to a unit mismatch in preprocess.py."
    assert (
        points(grade(fixtures.bundle("unit-mismatch", with_root_cause("unit-mismatch", right, evidence=""))))[
            "mechanism"
        ]
        == 10
    )
    verdict = grade(fixtures.bundle("unit-mismatch", with_root_cause("unit-mismatch", wrong)))
    assert not verdict.passed


def test_length_earns_nothing() -> None:
    text = fixtures.right_answer("wrong-alias")
    filler = "\n\nThe dashboard was open the whole time and we had a look at it every now and then.\n" * 40
    short = grade(fixtures.bundle("wrong-alias", text))
    long = grade(fixtures.bundle("wrong-alias", text.replace("## Evidence", filler + "\n## Evidence")))
    assert long.score == short.score


def test_a_near_miss_term_is_named_with_the_precise_one() -> None:
    prose = "`distance_km` suffers from data drift: serving sends miles, training had kilometres, a unit mismatch in preprocess.py."
    verdict = grade(fixtures.bundle("unit-mismatch", with_root_cause("unit-mismatch", prose)))
    item = next(item for item in verdict.items if item.id == "terms")
    assert item.points == 0
    assert "data drift" in item.improve
    assert "train/serve skew" in item.improve


def test_a_wrong_number_in_prose_is_pointed_out() -> None:
    good = fixtures.right_answer("featurelib-pin").replace("## Resolution", "The p95 rose to 412 ms.\n\n## Resolution")
    bad = good.replace("The p95 rose to 412 ms", "The p95 rose to 1900 ms")
    assert not [n for n in grade(fixtures.bundle("featurelib-pin", good)).notes if "not what was measured" in n]
    assert [n for n in grade(fixtures.bundle("featurelib-pin", bad)).notes if "1900" in n]


def test_the_same_bundle_gives_the_same_bytes() -> None:
    bundle = fixtures.bundle("featurelib-pin", fixtures.right_answer("featurelib-pin"))
    first = grade(bundle).model_dump_json()
    assert {grade(bundle).model_dump_json() for _ in range(20)} == {first}


@pytest.mark.parametrize("scenario", [s for s in fixtures.SCENARIOS if s != "false-alarm"])
def test_feedback_before_the_end_names_nothing_of_the_truth(scenario: str) -> None:
    truth = fixtures.TRUTHS[scenario]
    secret = [truth["cause"], truth["component"], truth["object"], *truth.get("object_aliases", ())]
    secret += [value for value in truth["parameters"].values() if isinstance(value, str)]
    bundle = fixtures.bundle(scenario, "")
    texts = [
        bundle.template,
        fixtures.postmortem("cause: memory-leak", "## Root cause\nSomething leaked for 3 days in the service."),
    ]
    for text in texts:
        for probe in (
            fixtures.probe(rows=fixtures.rows(wrong=60), mae=9.0, alias_version=6, served_version=6),
            fixtures.stopped(),
        ):
            verdict = grade(fixtures.bundle(scenario, text, probe=probe))
            said = " ".join(f"{item.title} {item.observed} {item.improve}" for item in verdict.items) + " ".join(
                verdict.notes
            )
            for word in secret:
                assert not re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", said, re.IGNORECASE), word


ENDED = (
    "We removed the {cause}, deployed, and checked it.",
    "The {cause} is gone.",
    "No {cause} remains.",
    "Since the deployment there is no {cause} any more.",
)
DENIED = (
    "We removed the {cause} from our list of suspects.",
    "The {cause} is gone from the list of candidates.",
    "The {cause} theory is gone.",
    "There is no {cause}.",
)


def named(scenario: str, sentence: str, heading: str) -> Verdict:
    """Grade the right answer with one more sentence, which names the cause, at the head of a section."""
    text = fixtures.right_answer(scenario)
    title = next(
        each.title.lower() for each in taxonomy().causes if each.id == fixtures.bundle(scenario, "").truth.cause
    )
    added = text.replace(f"## {heading}\n", f"## {heading}\n{sentence.format(cause=title)} ", 1)
    assert added != text
    return grade(fixtures.bundle(scenario, added))


@pytest.mark.parametrize("heading", ["Root cause", "Resolution"])
@pytest.mark.parametrize("sentence", ENDED)
@pytest.mark.parametrize("scenario", [name for name in fixtures.SCENARIOS if name != "false-alarm"])
def test_a_cause_that_is_gone_was_there(scenario: str, sentence: str, heading: str) -> None:
    verdict = named(scenario, sentence, heading)
    assert verdict.score >= 98, [item for item in verdict.items if item.points != item.max_points]


@pytest.mark.parametrize("sentence", DENIED)
def test_a_cause_that_is_denied_is_said_to_be(sentence: str) -> None:
    verdict = named("unit-mismatch", sentence, "Root cause")
    cause, mechanism = (next(item for item in verdict.items if item.id == name) for name in ("cause", "mechanism"))
    assert not verdict.passed
    assert "denies the declared cause" in cause.observed
    assert cause.quote == sentence.format(cause="unit mismatch")
    assert (mechanism.points, "denied" in mechanism.observed) == (0, True)

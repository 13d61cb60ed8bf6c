"""The labelled corpus is complete, and the grader keeps what it reached on it."""

from collections import Counter

import pytest

from grader import grade, render_html, reveal_text
from tests.grader import baselines, bench, incidents, negation
from tests.grader.attacks import attacks
from tests.grader.labelled import KINDS, VOICES, Labelled, corpus
from tests.grader.mutations import mutations, paraphrases

pytestmark = pytest.mark.thorough

ATTACKS = attacks()


def held() -> list[Labelled]:
    return [item for item in corpus() if item.held_out]


def test_the_corpus_has_every_voice_and_kind_of_every_incident() -> None:
    assert len(incidents.SCENARIOS) >= 12
    for scenario in incidents.SCENARIOS:
        mine = [item for item in corpus() if item.scenario == scenario]
        assert len(mine) == 25
        assert Counter(item.voice for item in mine) == dict.fromkeys(VOICES, 5)
        kinds = Counter(item.kind for item in mine)
        assert kinds["right"] == 5
        assert all(kinds[kind] >= 3 for kind in KINDS)


def test_accounts_are_texts_of_their_own() -> None:
    told = [item.core for item in corpus() if item.kind != "abandoned"]
    assert len(set(told)) == len(told)


def test_labels_follow_the_kinds() -> None:
    for item in corpus():
        assert 0 <= item.label.score <= 100
        assert item.label.diagnosed == (item.kind in ("right", "partly", "lucky"))
        if item.kind == "right":
            assert item.label.score >= 90


def test_citations_of_the_corpus_can_be_looked_up() -> None:
    from grader.citations import lookup
    from grader.reader import read

    for item in corpus():
        facts = item.bundle().broken.facts
        for citation, _ in read(item.core).citations:
            assert lookup(citation.selector, facts), (item.scenario, item.voice, item.kind, citation.raw)


@pytest.mark.parametrize("part", ["tuning", "held out"])
def test_causes_and_scores_are_judged_as_labelled(part: str) -> None:
    items = [item for item in corpus() if item.held_out == (part == "held out")]
    rows = bench.grade_all(items, bench.THIS)
    assert bench.accuracy(rows) >= 0.97
    assert bench.kappa([bench.band(r.item.label.score) for r in rows], [bench.band(r.score) for r in rows]) >= 0.85
    assert abs(bench.length_effect(rows)) < 0.1


def test_paraphrases_are_worth_the_same() -> None:
    pairs = [(left, right) for held_out, left, right in paraphrases() if held_out]
    near = sum(abs(grade(left).score - grade(right).score) <= 5 for left, right in pairs)
    assert near >= 0.95 * len(pairs)


def test_denials_that_the_rules_were_made_for() -> None:
    found = negation.rates(negation.outcomes("tuning"))
    assert found["recall"] >= 0.98
    assert found["falsely_negated"] <= 0.02


def test_denials_of_every_tuning_list() -> None:
    found = negation.rates(negation.outcomes(*negation.tuning()))
    assert found["judged"] > 2500
    assert found["recall"] >= 0.965
    assert found["falsely_negated"] <= 0.02


def test_no_sentence_is_both_tuned_for_and_held_out() -> None:
    lists = negation.lists()
    held = {text for name in negation.held_out() for part in lists[name].values() for text in part}
    tuned = {text for name in negation.tuning() for part in lists[name].values() for text in part}
    assert len(held) > 450
    assert not held & tuned


def test_changes_move_the_score_or_leave_it() -> None:
    bad = []
    for each in mutations():
        if each.original.truth.scenario not in ("unit-mismatch", "target-leakage"):
            continue
        before, after = grade(each.original), grade(each.mutated)
        if each.keeps and abs(before.score - after.score) > 5:
            bad.append((each.name, before.score, after.score))
        if not each.keeps and (after.passed or before.score - after.score < 10):
            bad.append((each.name, before.score, after.score))
    assert len(bad) <= 1, bad


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) >= 300


@pytest.mark.parametrize("scenario", incidents.SCENARIOS)
def test_no_attack_passes(scenario: str) -> None:
    passed = [name for name, where, bundle in ATTACKS if where == scenario and grade(bundle).passed]
    assert not passed


@pytest.mark.parametrize("scenario", incidents.SCENARIOS)
def test_answers_without_an_investigation_fail(scenario: str) -> None:
    for name, bundle in baselines.answers(scenario).items():
        assert not grade(bundle).passed, name


def test_other_ways_of_grading_are_beaten_by_attacks() -> None:
    assert any(baselines.grade("keyword list", bundle).diagnosed for *_, bundle in ATTACKS)
    assert any(baselines.grade("bag-of-words overlap", bundle).diagnosed for *_, bundle in ATTACKS)


def test_the_same_bundle_gives_the_same_bytes() -> None:
    bundle = held()[0].bundle()
    made = set()
    for _ in range(100):
        verdict = grade(bundle)
        page = render_html(verdict, bundle, reveal=True) + reveal_text(verdict, bundle)
        made.add(verdict.model_dump_json() + page)
    assert len(made) == 1


def test_kappa_is_the_published_one() -> None:
    assert bench.kappa([0, 1, 2], [0, 1, 2], 3) == 1
    # By hand: squared differences sum to 2, and 3.5 are expected from the margins.
    assert bench.kappa([0, 1, 2, 2], [1, 1, 2, 1], 3) == pytest.approx(1 - 2 / 3.5)

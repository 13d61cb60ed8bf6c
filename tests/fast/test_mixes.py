"""What a blind start draws."""

import random
from collections import Counter
from pathlib import Path

import pytest

import grader
from crashlab import mixes, scenario
from crashlab.errors import UsageError

FOLDER = Path(__file__).parents[2] / "scenarios"
CATALOGUE = scenario.catalogue(FOLDER)


def test_every_cause_that_can_be_injected_is_in_exactly_one_bucket():
    listed = [cause for bucket in mixes.load(FOLDER) for cause in bucket.causes]
    known = {cause.id for cause in grader.taxonomy().causes if not cause.family.startswith("language-model")}
    assert sorted(listed) == sorted(known)


def test_weights_have_reasons_and_most_outages_on_call_are_not_the_models_fault():
    buckets = mixes.load(FOLDER)
    assert all(len(bucket.why) > 40 for bucket in buckets)
    total = sum(bucket.on_call for bucket in buckets)
    other = sum(bucket.on_call for bucket in buckets if bucket.id in ("release", "environment", "capacity"))
    assert other / total > 0.5
    assert 0.1 <= sum(b.on_call for b in buckets if b.id == "healthy") / total <= 0.15


def test_buckets_are_drawn_by_weight_however_many_scenarios_they_have():
    buckets = [b.model_copy(update={"teaching": 1.0 if b.id == "skew" else 3.0}) for b in mixes.load(FOLDER)]
    pool = [item for item in CATALOGUE if item.name in ("unit-mismatch", "imputation-mismatch", "wrong-alias")]
    rng = random.Random(4)
    drawn = Counter(mixes.draw(pool, buckets, "teaching", rng, seed).name for seed in range(2000))
    assert drawn["wrong-alias"] / 2000 == pytest.approx(0.75, abs=0.03)
    assert drawn["unit-mismatch"] / 2000 == pytest.approx(0.125, abs=0.03)


def test_the_two_mixes_differ():
    buckets = mixes.load(FOLDER)
    shares = {}
    for mix in mixes.MIXES:
        rng = random.Random(1)
        drawn = [mixes.draw(CATALOGUE, buckets, mix, rng, seed).family for seed in range(1000)]
        shares[mix] = drawn.count("train-serve-skew") / 1000
    assert shares["teaching"] > shares["on-call"] + 0.05


def test_only_what_fits_is_drawn():
    assert {s.level for s in mixes.candidates(CATALOGUE, "embedded", 2, None)} == {2}
    assert {s.family for s in mixes.candidates(CATALOGUE, "embedded", None, "environment")} == {"environment"}
    needy = [item.model_copy(update={"needs": ("cpu-quota",)}) for item in CATALOGUE]
    assert mixes.candidates(needy, "compose", None, None) == needy
    with pytest.raises(UsageError, match="embedded"):
        mixes.candidates(needy, "embedded", None, None)


def test_drafts_are_drawn_only_if_asked_for():
    drawn = mixes.candidates(CATALOGUE, "embedded", None, None, drafts=False)
    assert drawn == [item for item in CATALOGUE if item.proved and "embedded" in item.runtimes]
    assert len({item.family for item in drawn}) > 3
    with pytest.raises(UsageError, match=r"level 5 on embedded are drafts; give --drafts"):
        mixes.candidates(CATALOGUE, "embedded", 5, None, drafts=False)
    assert mixes.candidates(CATALOGUE, "embedded", 5, None)
    with pytest.raises(UsageError) as caught:
        mixes.candidates(CATALOGUE, "embedded", 5, "healthy", drafts=False)
    # The level that there is without drafts.
    assert caught.value.hint.startswith("Levels there are: 3.")


@pytest.mark.parametrize(("level", "family"), [(5, "healthy"), (None, "gremlins")])
def test_nothing_that_fits_says_what_there_is(level, family):
    with pytest.raises(UsageError) as caught:
        mixes.candidates(CATALOGUE, "embedded", level, family)
    assert caught.value.hint


def test_an_unknown_mix_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        mixes.mix_name("chaos")
    assert "on-call" in caught.value.hint


def test_the_page_on_mixes_says_what_the_file_says():
    page = (FOLDER.parent / "docs" / "explanation" / "mixes.md").read_text()
    for bucket in mixes.load(FOLDER):
        assert f"| {bucket.title} | {bucket.on_call:g} | {bucket.teaching:g} |" in page

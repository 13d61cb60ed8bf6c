"""Every known way in which a deployed model fails has a cause in the taxonomy, under the catalogue's own name."""

import pytest

from grader import pages, taxonomy

ROWS = """
unit-mismatch impute-mismatch missing-default category-encoding-order scaler-refit stale-scaler-stats feature-order
timezone-offset dtype-rounding feature-absent-at-serving stale-feature-store wrong-entity-join upstream-schema-change
generated-config-overflow target-leakage label-join-delay label-prior-shift covariate-drift concept-drift
sklearn-unpickle-mismatch preproc-default-changed numpy-major-mismatch pandas-major-mismatch missing-dependency
python-minor-cloudpickle code-by-reference wrong-alias stale-model-cache threshold-mismatch class-order-flip
config-out-of-order per-request-model-load n-plus-1-lookups thread-oversubscription event-loop-blocking oversized-model
memory-leak sync-logging latency-creep-cache tokenizer-mismatch chat-template-mismatch padding-side truncation-side
lora-not-applied lora-wrong-base eos-config eos-masked sampling-override grad-accum-norm reward-hacking missing-kl
preference-flip reward-sign-flip contamination
""".split()  # noqa: SIM905 - a list of names reads better without quotes
"""Short names of the published failures that the taxonomy was made from."""


@pytest.mark.parametrize("row", ROWS)
def test_every_known_failure_has_a_cause(row: str) -> None:
    assert row in taxonomy().accepted


def test_confusions_name_causes() -> None:
    known = taxonomy()
    for confusion in known.confusions:
        assert len(set(confusion.causes)) == len(confusion.causes) >= 2
        assert set(confusion.causes) <= set(known.by_id)
    assert "health check" in known.deciding_test("event-loop-blocking")
    assert not known.deciding_test("tokenizer-mismatch")


def test_hops_are_symmetric_and_within_bounds() -> None:
    known = taxonomy()
    for left in known.by_id:
        for right in known.by_id:
            assert known.hops(left, right) == known.hops(right, left)
            assert (known.hops(left, right) == 0) == (left == right)


@pytest.mark.parametrize("name", sorted(pages.PAGES))
def test_pages_are_made_from_the_data(name: str) -> None:
    path = pages.FOLDER / name
    assert path.read_text(encoding="utf-8") == pages.PAGES[name](), "run `python -m grader.pages`"

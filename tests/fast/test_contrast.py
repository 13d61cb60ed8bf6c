"""What a fact tells apart: made from what scenarios showed, and held to incidents with real facts."""

import pytest

from crashlab.model import Bundle, Shown
from grader import contrast, grade
from grader.proof import examine
from grader.reader import read
from tests.grader import accounts


def body(*citations: str) -> str:
    return "\n".join(f"- We measured {each} ourselves on the live system" for each in citations)


def told(scenario: str, *citations: str) -> Bundle:
    claim = accounts.shown(scenario).truth
    head = f"---\ncause: {claim.cause}\ncomponent: {claim.component}\nobject: {claim.object}\n---\n## Evidence\n"
    return accounts.bundle(scenario, head + body(*citations), second_reader=False)


@pytest.mark.parametrize(
    ("scenario", "fact", "bears", "decides", "excludes"),
    [
        ("unit-mismatch", "feature distance_km parity_ratio", True, True, "imputation-mismatch"),
        ("unit-mismatch", "raw route_distance_m mean", True, False, "covariate-shift"),
        ("unit-mismatch", "registry alias=champion version", True, False, "wrong-alias"),
        ("unit-mismatch", "quality mae", True, False, ""),
        ("unit-mismatch", "raw temperature_c drift", False, False, ""),
        ("unit-mismatch", "feature weekend drift", False, False, ""),
        ("wrong-alias", "registry alias=champion version", True, True, "unit-mismatch"),
        ("wrong-alias", "prediction version=2 share", True, True, "unit-mismatch"),
        ("featurelib-pin", "pin serving featurelib", True, True, "unit-mismatch"),
        ("blocked-event-loop", "latency health_p99_ms", True, True, "n-plus-one-lookups"),
        ("blocked-event-loop", "latency p95_ms", True, False, ""),
        ("false-alarm", "quality mae", True, True, "covariate-shift"),
        ("covariate-shift", "raw route_distance_m mean", True, True, "unit-mismatch"),
    ],
)  # fmt: skip
def test_facts_of_real_incidents(scenario: str, fact: str, bears: bool, decides: bool, excludes: str) -> None:
    found = contrast.contrast(fact, told(scenario))
    assert (found.bears, found.decides) == (bears, decides), found
    assert not excludes or excludes in found.excludes


def test_one_fact_that_decides_and_one_that_bears_are_enough() -> None:
    facts = accounts.shown("unit-mismatch").broken
    ratio = f"[feature distance_km parity_ratio={facts['feature distance_km parity_ratio']}]"
    raw = f"[raw route_distance_m mean={facts['raw route_distance_m mean']}]"
    mae = f"[quality mae={facts['quality mae']}]"
    kitchen = f"[feature kitchen_minutes parity_ratio={facts['feature kitchen_minutes parity_ratio']}]"

    def enough(*citations: str) -> bool:
        bundle = told("unit-mismatch", *citations)
        return examine(read(body(*citations)), bundle).enough

    assert enough(ratio, raw)
    assert enough(ratio, mae)
    assert not enough(ratio)
    assert not enough(ratio, ratio), "the same citation twice is one"
    assert not enough(raw, mae), "neither decides"
    assert not enough(ratio, kitchen), "one that says nothing is not a second"


def test_a_verdict_says_what_each_citation_told_apart_and_which_gate_failed() -> None:
    facts = accounts.shown("unit-mismatch").broken
    bundle = told("unit-mismatch", f"[raw route_distance_m mean={facts['raw route_distance_m mean']}]",
                  f"[quality mae={facts['quality mae']}]", "[quality mae=2.76]", "[no such fact=1]")  # fmt: skip
    verdict = grade(bundle)
    (evidence,) = (item for item in verdict.items if item.id == "evidence")
    said = "\n".join(evidence.details)
    assert "is as on healthy days, which excludes covariate shift" in said
    assert "repeats what an alert says" in said
    assert "is stale: it is the value" in said
    assert "is uncheckable" in said
    assert any("does not decide" in each for each in verdict.lacking)
    assert any("diagnosis" in each for each in verdict.lacking)
    wrong = bundle.model_copy(update={"submission": bundle.submission.model_copy(
        update={"text": bundle.submission.text.replace("cause: unit-mismatch", "cause: wrong-alias")})})  # fmt: skip
    (evidence,) = (item for item in grade(wrong).items if item.id == "evidence")
    assert "excludes" not in "\n".join(evidence.details), "beside a wrong cause it would lead to the right one"


def test_what_is_harmless_is_named_beside_the_right_cause_alone() -> None:
    fact = "raw temperature_c drift"
    bundle = told("unit-mismatch", f"[{fact}={accounts.shown('unit-mismatch').broken[fact]}]")
    text = bundle.submission.text.replace("cause: unit-mismatch", "cause: wrong-alias")
    wrong = bundle.model_copy(update={"submission": bundle.submission.model_copy(update={"text": text})})
    said = [next(i for i in grade(each).items if i.id == "evidence").details[0] for each in (bundle, wrong)]
    assert said[0].endswith("does not bear on what happened.")
    assert said[1].endswith("is true.")


def some(scenario: str, **broken: float | str) -> Shown:
    known = accounts.shown(scenario)
    healthy: dict[str, float | str] = {"feature a mean": 10.0, "pin serving x": "1", "quality mae": 2.0}
    return known.model_copy(
        update={"healthy": healthy, "broken": healthy | {k.replace("__", " "): v for k, v in broken.items()}}
    )


def test_what_moves_by_itself_has_not_moved() -> None:
    noisy = [some("unit-mismatch", feature__a__mean=10.0 + step / 4) for step in range(-5, 6)]
    table = contrast.make([*noisy, some("wrong-alias", feature__a__mean=20.0, pin__serving__x="2")])["eta"]
    assert [bool(run.moved) for run in table.runs] == [False] * 11 + [True]
    assert table.runs[-1].moved == {"feature a mean": 10.0, "pin serving x": "2"}
    assert "quality mae" not in table.usual, "a fact that no scenario moves tells nothing apart"

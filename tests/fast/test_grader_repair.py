"""The fix is graded by what the system does, and by nothing that was written about it."""

from typing import Any

import pytest

from crashlab.model import Distractor, Item, PinMismatch, Probe
from grader import grade
from grader.repair import changed_lines, damage
from tests.fast import grader_fixtures as fixtures


def fixed(scenario: str, probe: Probe, **changes: Any) -> tuple[bool, dict[str, Item]]:
    verdict = grade(fixtures.bundle(scenario, fixtures.right_answer(scenario), probe=probe, **changes))
    return verdict.passed, {item.id: item for item in verdict.items if item.id.startswith("fix-")}


def diff(removed: str = "", added: str = "", name: str = "serving/app.py", extra: str = "") -> str:
    lines = [
        f"diff --git a/{name} b/{name}",
        *([extra] if extra else []),
        f"--- a/{name}",
        f"+++ b/{name}",
        "@@ -1,3 +1,3 @@",
    ]
    lines += [f"-{line}" for line in removed.splitlines()] + [f"+{line}" for line in added.splitlines()]
    return "\n".join(lines) + "\n"


def test_memory_that_stays_level_is_durable() -> None:
    assert fixed("unit-mismatch", fixtures.probe(memory_growth_mb=3.0, memory_growth_limit_mb=20.0))[0]


def test_a_complete_fix_earns_all_twenty_points() -> None:
    passed, items = fixed("unit-mismatch", fixtures.probe())
    assert passed
    assert sum(item.points or 0 for item in items.values()) == 20
    assert sum(item.max_points for item in items.values()) == 20


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({"rows": fixtures.rows(wrong=31)}, "fix-parity"),
        ({"feature_mismatch": {"distance_km": 0.4}}, "fix-parity"),
        ({"mae": 3.2}, "fix-quality"),
        ({"mae": None}, "fix-quality"),
        ({"latency": fixtures.GOOD_LATENCY.model_copy(update={"p50_ms": 55.0})}, "fix-latency"),
        ({"latency": fixtures.GOOD_LATENCY.model_copy(update={"error_rate": 0.05})}, "fix-latency"),
        ({"latency": fixtures.GOOD_LATENCY.model_copy(update={"alone_ms": 70.0})}, "fix-latency"),
        ({"latency": fixtures.GOOD_LATENCY.model_copy(update={"batch_ms": 300.0})}, "fix-latency"),
        ({"alias_version": 6, "served_version": 6}, "fix-identity"),
        ({"alias_version": 3}, "fix-identity"),
        ({"fingerprint_matches": False}, "fix-identity"),
        ({"pin_mismatches": (PinMismatch(package="pandas", model="2.3.3", serving="3.0.6"),)}, "fix-environment"),
        ({"rows": fixtures.rows(untouched_wrong=4)}, "fix-collateral"),
        ({"logged": 0.05}, "fix-collateral"),
        ({"kept": 0.4}, "fix-collateral"),
        ({"live_mismatch": 1.0}, "fix-durable"),
        ({"memory_growth_mb": 55.0, "memory_growth_limit_mb": 20.0}, "fix-durable"),
        ({"live_ready": False}, "fix-ready"),
        ({"repeat_mismatch": 0.25}, "fix-parity"),
        ({"batch_mismatch": 0.6}, "fix-parity"),
        ({"follows_promotion": False}, "fix-durable"),
        ({"rehearsal_mae": 7.1}, "fix-durable"),
        ({"rehearsal_failed": True}, "fix-durable"),
        ({"services": {"mlflow": False, "serving": True}}, "fix-ready"),
    ],
)
def test_one_failing_check_fails_the_fix_and_says_what_was_observed(changes: dict[str, Any], failing: str) -> None:
    passed, items = fixed("unit-mismatch", fixtures.probe(**changes))
    assert not passed
    assert items[failing].status == "failed"
    assert items[failing].points == 0
    assert items[failing].observed
    assert items[failing].improve


def test_a_log_that_could_not_be_read_is_held_against_nobody() -> None:
    passed, items = fixed("unit-mismatch", fixtures.probe(kept=None))
    assert passed
    assert items["fix-collateral"].points == items["fix-collateral"].max_points


def test_what_one_request_costs_alone_is_told() -> None:
    slow = fixtures.GOOD_LATENCY.model_copy(update={"batch_ms": 300.0})
    _, items = fixed("unit-mismatch", fixtures.probe(latency=slow))
    assert "a batch takes 300 ms (healthy 14 ms)" in items["fix-latency"].observed
    assert "a single request" not in items["fix-latency"].observed


def test_a_busy_host_shows_in_percentiles_and_costs_nothing() -> None:
    busy = fixtures.GOOD_LATENCY.model_copy(update={"p50_ms": 40.0, "p95_ms": 110.0, "health_p99_ms": 90.0})
    passed, items = fixed("unit-mismatch", fixtures.probe(latency=busy))
    assert passed
    assert "95th percentile 110 ms (34 ms)" in items["fix-latency"].observed


def test_a_log_that_is_whole_and_latency_alone_that_was_not_measured_cost_nothing() -> None:
    crowd = fixtures.GOOD_LATENCY.model_copy(update={"alone_ms": None, "batch_ms": None})
    passed, _ = fixed("unit-mismatch", fixtures.probe(logged=1.0, latency=crowd))
    assert passed


def test_hidden_requests_are_counted_in_the_feedback() -> None:
    _, items = fixed("unit-mismatch", fixtures.probe(rows=fixtures.rows(wrong=31)))
    assert "31 of 80 hidden requests differ" in items["fix-parity"].observed


def test_doing_nothing_keeps_only_a_part_of_what_was_never_broken() -> None:
    slow = fixtures.GOOD_LATENCY.model_copy(update={"p50_ms": 290.0, "p95_ms": 640.0, "health_p99_ms": 540.0})
    passed, items = fixed("blocked-event-loop", fixtures.probe(latency=slow))
    assert not passed
    assert sum(item.points or 0 for item in items.values()) <= 8


@pytest.mark.parametrize("scenario", fixtures.SCENARIOS)
def test_a_stopped_service_never_passes(scenario: str) -> None:
    passed, items = fixed(scenario, fixtures.stopped())
    assert not passed
    assert {item.status for item in items.values()} == {"failed"}
    assert sum(item.points or 0 for item in items.values()) == 0


def test_a_workspace_that_does_not_deploy_fails() -> None:
    probe = Probe(
        redeployed=False,
        redeploy_error="no such file",
        failure="The workspace does not deploy.",
        services={"mlflow": True, "serving": True},
    )
    passed, items = fixed("unit-mismatch", probe)
    assert not passed
    assert {item.status for item in items.values()} == {"failed"}


def test_what_the_engine_could_not_measure_is_not_graded() -> None:
    probe = Probe(failure="The training side could not score version 5.", services={"mlflow": True, "serving": True})
    verdict = grade(fixtures.bundle("unit-mismatch", fixtures.right_answer("unit-mismatch"), probe=probe))
    assert not verdict.passed
    assert verdict.max_score == 80
    items = [item for item in verdict.items if item.id.startswith("fix-")]
    assert {(item.status, item.points) for item in items} == {("not graded", None)}


def test_an_older_approved_version_passes_only_when_it_is_as_good() -> None:
    older = {"alias_version": 3, "served_version": 3, "live_mismatch": 1.0}
    assert fixed("wrong-alias", fixtures.probe(**older, mae=2.75))[0]
    assert not fixed("wrong-alias", fixtures.probe(**older, mae=3.4))[0]


def test_a_difference_of_pins_that_was_always_there_is_no_fault() -> None:
    pin = {"pin_mismatches": (PinMismatch(package="scikit-learn", model="1.7.2", serving="1.7.3"),)}
    assert fixed("false-alarm", fixtures.probe(**pin))[0]
    assert not fixed("library-pin", fixtures.probe(**pin))[0]


def test_a_harmless_pin_of_the_incident_may_stay_or_go() -> None:
    beside = Distractor(
        kind="warning", parameters={"package": "scikit-learn", "trained": "1.7.2", "served": "1.7.1", "message": "m"}
    )
    left = PinMismatch(package="scikit-learn", model="1.7.2", serving="1.7.1")
    other = PinMismatch(package="scikit-learn", model="1.7.2", serving="1.6.0")
    pandas = PinMismatch(package="pandas", model="2.3.3", serving="3.0.6")
    for pins, passes in (((left,), True), ((), True), ((other,), False), ((left, pandas), False)):
        given = fixtures.bundle(
            "library-pin", fixtures.right_answer("library-pin"), probe=fixtures.probe(pin_mismatches=pins)
        )
        truth = given.truth.model_copy(update={"distractors": (beside,)})
        verdict = grade(given.model_copy(update={"truth": truth}))
        assert verdict.passed is passes, pins


def test_a_healthy_system_must_be_left_alone() -> None:
    change = diff("threshold = 0.5", "threshold = 0.9")
    assert fixed("false-alarm", fixtures.probe())[0]
    assert not fixed("false-alarm", fixtures.probe(), diff=change)[0]
    assert fixed("false-alarm", fixtures.probe(), diff=diff("", "# The drift of this column is harmless."))[0]
    assert fixed("false-alarm", fixtures.probe(), diff=diff("old", "new", "README.md"))[0]
    assert not fixed("false-alarm", fixtures.probe(alias_version=3, served_version=3))[0]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (diff("", 'warnings.filterwarnings("ignore")'), "muted"),
        (diff("", "logging.disable(logging.CRITICAL)"), "muted"),
        (diff("", "ENV PYTHONWARNINGS=ignore", "serving/Dockerfile"), "muted"),
        (diff("    except Timeout:", "    except Exception: return 31.0"), "swallowed"),
        (diff("    prediction_log.put(row)"), "removed"),
        (diff('@app.get("/ready")'), "removed"),
        (diff("x = 1", "", "serving/eta/preprocess.py", "deleted file mode 100644"), "deleted"),
        (diff("", 'ANSWERS = {"OR0000007": 22.17}'), "hard-coded"),
    ],
)
def test_a_diff_that_deletes_mutes_or_hard_codes_is_flagged(change: str, found: str) -> None:
    assert any(found in said for said in damage(fixtures.bundle("unit-mismatch", "", diff=change)))
    passed, items = fixed("unit-mismatch", fixtures.probe(), diff=change)
    assert not passed
    assert items["fix-collateral"].status == "failed"


@pytest.mark.parametrize(
    "change",
    [
        diff("return metres / METRES_PER_MILE", "return metres / METRES_PER_KM"),
        diff(
            "async def predict(order):\n    prediction_log.put(row)",
            "def predict(order):\n    prediction_log.put(row, block=False)",
        ),
        diff("featurelib==1.2.0", "featurelib==2.1.0", "serving/internal.txt"),
        diff('@app.get("/ready")', '@app.get("/ready")  # stays'),
        diff("    except KeyError:", "    except KeyError as error:"),
    ],
)
def test_an_honest_repair_is_not_flagged(change: str) -> None:
    assert damage(fixtures.bundle("unit-mismatch", "", diff=change)) == []


def test_a_diff_is_split_by_sign_and_documents_are_left_out() -> None:
    removed, added, deleted = changed_lines(diff("a", "b") + diff("c", "d", "docs/notes.md"))
    assert (removed, added, deleted) == (["a"], ["b"], [])


def test_in_a_changed_world_an_adapted_version_is_held_to_what_can_be_won_back() -> None:
    adapted = {"alias_version": 7, "served_version": 7, "approved_versions": (3, 5, 7), "mae_limit": 5.0}
    assert fixed("wrong-alias", fixtures.probe(**adapted, mae=4.4))[0]
    passed, items = fixed("wrong-alias", fixtures.probe(**adapted, mae=5.2))
    assert not passed
    assert items["fix-quality"].status == "failed"
    assert "5.00 is good enough" in items["fix-quality"].observed
    assert not fixed("wrong-alias", fixtures.probe(mae=4.4, healthy_mae=2.68))[0]


def test_what_comes_after_a_repair_may_come() -> None:
    later = {"repeat_mismatch": 0.0, "batch_mismatch": 0.0, "follows_promotion": True, "rehearsal_mae": 2.8}
    passed, _ = fixed("unit-mismatch", fixtures.probe(**later))
    assert passed

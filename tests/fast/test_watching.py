import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crashlab import watching
from crashlab.evidence.requests import usage_facts
from crashlab.stack.base import Usage
from crashlab.stack.fake import FakeStack

START = datetime(2026, 9, 5, tzinfo=UTC)


def sample(answered: int, memory: float, begun: str = "a") -> watching.Sample:
    return watching.Sample(START, START, begun, answered, memory)


@given(st.floats(-200, 200), st.lists(st.integers(100, 5000), min_size=2, max_size=20, unique=True))
def test_a_line_has_its_own_slope(slope: float, rows: list[int]) -> None:
    points = [(n, 150 + slope * n / 1000) for n in rows]
    assert watching.slope(points) == pytest.approx(slope, abs=1e-6)


def test_one_step_of_an_allocator_is_no_growth() -> None:
    level = [(n, 170.0 if n < 700 else 190.0) for n in range(100, 1000, 20)]
    assert watching.slope(level) == 0.0


def test_growth_leaves_out_what_a_process_loads_lazily() -> None:
    lazy = [sample(n, 100 + n) for n in range(0, 100, 10)]
    level = [sample(n, 200.0) for n in range(100, 400, 10)]
    assert watching.growth([*lazy, *level]) == 0.0


def test_growth_is_that_of_one_process_at_a_time() -> None:
    first = [sample(n, 100 + 0.05 * n) for n in range(100, 900, 10)]
    second = [sample(n, 300.0, "b") for n in range(100, 250, 10)]
    assert watching.growth([*first, *second]) == pytest.approx(50)


@pytest.mark.parametrize("found", [[], [sample(10, 1.0)], [sample(100, 1.0), sample(150, 2.0)]])
def test_too_few_requests_say_nothing(found: list[watching.Sample]) -> None:
    assert watching.growth(found) is None


def test_samples_are_read_by_event_time_and_by_when_they_were_taken(tmp_path: Path) -> None:
    rows = [
        {"at": (START + timedelta(hours=n)).isoformat(), "event_time": (START + timedelta(days=n)).isoformat(),
         "begun": "a", "answered": n, "memory_mb": 1.5}
        for n in range(4)
    ]  # fmt: skip
    (tmp_path / watching.FILE).write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = watching.samples(tmp_path, START + timedelta(days=1), START + timedelta(days=3))
    assert [row.answered for row in found] == [1, 2]
    late = watching.samples(tmp_path, START, START + timedelta(days=9), since=START + timedelta(hours=3))
    assert [row.answered for row in late] == [3]
    assert watching.samples(tmp_path / "nowhere", START, START + timedelta(days=1)) == []


def test_a_monitor_is_not_what_fails(tmp_path: Path) -> None:
    with watching.watched(FakeStack(tmp_path)):
        pass
    assert not (tmp_path / "data").exists()


def test_usage_is_told_by_what_the_runtime_knows() -> None:
    before, after = Usage(100.0, 8, 20, 5, 0, False), Usage(110.0, 9, 30, 10, 1, True)
    assert usage_facts(before, after) == {
        "usage serving memory_mb": 110.0,
        "usage serving threads": 9.0,
        "usage serving throttled_share": 0.5,
        "usage serving restarts": 1,
        "usage serving out_of_memory": True,
    }
    assert set(usage_facts(Usage(1.0, 2), Usage(1.0, 2))) == {
        "usage serving memory_mb",
        "usage serving threads",
    }


def test_a_container_without_a_quota_was_never_throttled() -> None:
    idle = Usage(100.0, 8, 0, 0)
    assert usage_facts(idle, idle)["usage serving throttled_share"] == 0.0

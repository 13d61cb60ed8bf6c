"""Numbers of prose with their units: the same ratio however it is put."""

import pytest

from grader.mechanism import same_number
from grader.quantities import ratios, read
from grader.reader import read as read_body


@pytest.mark.parametrize(
    "text",
    [
        "The ratio is 1.609 on every row.",
        "Every value arrives at 0.62 times what it should be.",
        "Distances are 38 % too short.",
        "Distances are 38 per cent shorter than in training.",
        "An order of 16.1 km arrives as 10.",
        "It divides by 1609 m where it should divide by 1000 m.",
        "One mile is taken where one kilometre is meant.",
    ],
)
def test_ways_to_say_miles_for_kilometres(text: str) -> None:
    (sentence,) = read_body(text).sentences
    assert any(same_number(value, 1.609344) for value in ratios(sentence)), ratios(sentence)


@pytest.mark.parametrize(
    "text",
    ["The ratio is 1.31 on every row.", "Distances are 20 % too short.", "An order of 30 km arrives as 10.", "p95 is 640 ms."],
)  # fmt: skip
def test_other_numbers_are_other_findings(text: str) -> None:
    (sentence,) = read_body(text).sentences
    assert not any(same_number(value, 1.609344) for value in ratios(sentence)), ratios(sentence)


def test_units_are_read() -> None:
    (sentence,) = read_body(
        "It took 2 minutes instead of 90 s, twice the memory (1.5 GB), in 25 per cent of cases."
    ).sentences
    found = [(each.value, each.dimension, each.base) for each in read(sentence.words)]
    assert found == [
        (2.0, "time", 120.0), (90.0, "time", 90.0), (2.0, "factor", 2.0), (1.5, "memory", 1.5e9), (25.0, "share", 0.25),
    ]  # fmt: skip


def test_long_lists_of_numbers_state_no_quotient() -> None:
    (sentence,) = read_body("Values: 1, 2, 3, 5, 7, 11, 13, 17, 19, 23.").sentences
    assert set(ratios(sentence)) == {1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0}

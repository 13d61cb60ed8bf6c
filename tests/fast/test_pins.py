import pytest

from crashlab.pins import locked, minor, pins


def test_pins_are_read_without_hashes_and_markers():
    text = "scipy==1.17.1 ; python_full_version < '3.12' \\\n    --hash=sha256:0\nMLflow_Skinny==3.17.2 \\\n"
    assert pins(text) == {"scipy": "1.17.1", "mlflow-skinny": "3.17.2"}


@pytest.mark.parametrize(("wanted", "there", "expected"), [("2.3.3", "2.3.3", True), ("3.0.6", "2.3.3", False)])
def test_an_edited_pin_is_noticed(tmp_path, wanted, there, expected):
    (tmp_path / "requirements.in").write_text(f"pandas=={wanted}\nscipy\n")
    (tmp_path / "requirements.txt").write_text(f"pandas=={there} \\\n    --hash=sha256:0\nscipy==1.0\n")
    assert locked(tmp_path) is expected


def test_without_a_source_nothing_is_asked(tmp_path):
    assert locked(tmp_path)


@pytest.mark.parametrize(("left", "right", "same"), [("3.11.2", "3.11.7", True), ("3.11.2", "3.13.5", False)])
def test_bytecode_is_the_same_within_a_minor_version(left: str, right: str, same: bool) -> None:
    assert (minor(left) == minor(right)) is same

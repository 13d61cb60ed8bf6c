from pathlib import Path

import pytest

from crashlab import settings
from crashlab.errors import UsageError


def test_the_environment_decides(tmp_path):
    found = settings.from_environment({"CRASHLAB_HOME": str(tmp_path), "CRASHLAB_RUNTIME": "embedded"})
    assert (found.home, found.runtime, found.data_seed) == (tmp_path.resolve(), "embedded", 7)


@pytest.mark.parametrize(("name", "value"), [("CRASHLAB_RUNTIME", "kubernetes"), ("CRASHLAB_DATA_SEED", "seven")])
def test_a_wrong_value_is_named(name, value):
    with pytest.raises(UsageError, match=name):
        settings.from_environment({name: value})


def test_every_variable_is_documented():
    text = (Path(settings.__file__).parents[1] / "docs" / "reference" / "settings.md").read_text()
    assert [name for name in settings.VARIABLES if name not in text] == []

import errno
import os

import pytest

from crashlab import store
from crashlab.errors import CrashlabError, StateError
from crashlab.model import HintTaken


def test_a_value_survives_a_round_trip(tmp_path):
    store.write(tmp_path / "a" / "hint.json", HintTaken(index=1, cost=3.0))
    assert store.read(tmp_path / "a" / "hint.json", HintTaken) == HintTaken(index=1, cost=3.0)


def test_a_full_disk_keeps_the_old_file_and_leaves_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "postmortem.md"
    store.write_text(path, "old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CrashlabError) as caught:
        store.write_text(path, "new")
    assert "disk is full" in caught.value.message
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["postmortem.md"]


def test_private_files_are_for_the_owner_alone(tmp_path):
    store.write_text(tmp_path / "seal", "x", private=True)
    assert (tmp_path / "seal").stat().st_mode & 0o077 == 0


def test_missing_and_damaged_files_are_told_apart(tmp_path):
    with pytest.raises(StateError, match="not there"):
        store.read(tmp_path / "none.json", HintTaken)
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(StateError, match="damaged"):
        store.read(tmp_path / "bad.json", HintTaken)

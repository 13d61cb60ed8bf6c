"""What a failed image build tells, with a builder that prints as Compose's does."""

from pathlib import Path

import pytest

from crashlab.errors import BuildFailed
from crashlab.stack.base import Finished
from crashlab.stack.engine import Engine
from crashlab.stack.images import Images
from crashlab.workspace import GitWorkspace


def test_a_failed_build_shows_what_the_failing_step_printed(tmp_path: Path) -> None:
    def builder(*argv: str, context: Path | None = None) -> Finished:
        return Finished(1, "#5 no matching release\n", "failed to solve: exit code: 1\n")

    images = Images(tmp_path, lambda: GitWorkspace(tmp_path), Engine("none"), builder)
    with pytest.raises(BuildFailed, match="The image of serving does not build") as failure:
        images._image(tmp_path, "serving")
    assert "no matching release" in failure.value.hint
    assert "failed to solve" in failure.value.hint

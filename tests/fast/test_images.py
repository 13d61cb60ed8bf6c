"""What a failed image build tells, with a builder that prints as Compose's does."""

from pathlib import Path

import pytest

from crashlab.errors import BuildFailed
from crashlab.stack.base import Finished
from crashlab.stack.engine import Engine
from crashlab.stack.images import Images
from crashlab.workspace import GitWorkspace


@pytest.mark.parametrize(
    ("printed", "message", "hint"),
    [
        ("#5 no matching release\n", "The image of serving does not build.", "no matching release"),
        (
            "#9 write /layer.tar: no space left on device\n",
            "The image of serving does not build: docker could not write: the disk is full.",
            "docker builder prune",
        ),
    ],
)
def test_a_failed_build_shows_what_the_failing_step_printed(
    tmp_path: Path, printed: str, message: str, hint: str
) -> None:
    def builder(*argv: str, context: Path | None = None) -> Finished:
        return Finished(1, printed, "failed to solve: exit code: 1\n")

    images = Images(tmp_path, lambda: GitWorkspace(tmp_path), Engine("none"), builder)
    with pytest.raises(BuildFailed) as failure:
        images._image(tmp_path, "serving")
    assert failure.value.message == message
    assert hint in failure.value.hint
    assert ("failed to solve" in failure.value.hint) is (hint in printed), "what is not known is quoted whole"

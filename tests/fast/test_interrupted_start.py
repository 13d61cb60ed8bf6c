"""A start that is interrupted takes its stack down, whatever is still being started at that moment."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from crashlab.errors import StackError
from crashlab.stack.fake import FakeStack
from crashlab.starting import down_with


class Busy(FakeStack):
    """A stack that cannot be removed at first, since a container that is being started holds its network."""

    refusals = 1
    downs = 0

    def down(self, services=(), *, forget=False):
        self.downs += 1
        if self.downs <= self.refusals:
            raise StackError("The project could not be removed.", "network has active endpoints")
        self.gone.set()

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.gone = threading.Event()


def test_what_cannot_be_removed_yet_is_removed_in_the_next_turn(tmp_path: Path) -> None:
    stack = Busy(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        starting: Future[bool] = pool.submit(stack.gone.wait, 30)
        down_with(stack, [starting])
        assert starting.done()
    # Once more after the last thread has given up: what it started last goes too.
    assert stack.downs >= 3


def test_what_cannot_be_removed_although_nobody_is_at_work_is_an_error(tmp_path: Path) -> None:
    stack = Busy(tmp_path)
    stack.refusals = 99
    done: Future[None] = Future()
    done.set_result(None)
    with pytest.raises(StackError, match="could not be removed"):
        down_with(stack, [done])
    assert stack.downs == 1

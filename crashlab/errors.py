"""Errors that a person can act on.

    CrashlabError            one sentence and what to do; exit code 1
    ├── UsageError           the command line or a name was wrong; exit code 2
    ├── MissingPrerequisite  Docker, a package or a file is not there; exit code 3
    ├── StackError           a service did not come up or did not answer; exit code 4
    │   ├── BuildFailed      the workspace did not build; what was running goes on running
    │   └── NotReady         a service was started and ended, or says that it cannot do its work
    ├── StateError           the incident is not in a state for this command; exit code 5
    └── Interrupted          the command was ended by a signal; exit code 130

Anything else that reaches the command line is a defect of Crashlab and is shown as one.
"""

import errno
import os
import shutil
from typing import ClassVar


class CrashlabError(Exception):
    """A known failure: `message` is one sentence, `hint` says what to do about it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            # Shown below a traceback, which only a test or a defect ever prints.
            self.add_note(hint)


class UsageError(CrashlabError):
    """The caller asked for something that does not exist or does not fit."""

    exit_code = 2


class MissingPrerequisite(CrashlabError):
    """Something outside Crashlab is needed first."""

    exit_code = 3


class StackError(CrashlabError):
    """A service failed to start, to answer or to stop."""

    exit_code = 4


class BuildFailed(StackError):
    """The workspace could not be built or its environment not made; the old version goes on serving."""


class NotReady(StackError):
    """A service was started, and it ended, never answered, or goes on answering that it cannot do its work."""


class Interrupted(CrashlabError):
    """The person, or the system, asked the command to end."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("Interrupted; nothing was lost.", "Run the command again to go on.")


class StateError(CrashlabError):
    """The command does not fit what has happened in this incident so far."""

    exit_code = 5


FULL = "the disk is full"
ROOM = "Make room or give permission there, then run the command again."
ENVIRONMENT = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EMFILE,
    errno.ENFILE, errno.EIO,
)  # fmt: skip
"""What a disk or its owner may answer at any moment; other numbers of the operating system are defects."""


def from_os(error: OSError) -> CrashlabError | None:
    """Return what to tell a person of an error of the operating system, None where it is a defect of Crashlab."""
    if isinstance(error, shutil.Error):
        # A folder was copied; what went wrong with each file is there as text alone.
        full = os.strerror(errno.ENOSPC) in str(error)
        return CrashlabError(f"A folder could not be copied: {FULL}.", ROOM) if full else None
    if error.errno not in ENVIRONMENT:
        return None
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    what = f" {error.filename}" if error.filename else ""
    return CrashlabError(f"Could not use{what or ' a file'}: {FULL if full else error.strerror}.", ROOM)

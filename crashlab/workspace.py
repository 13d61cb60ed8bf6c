"""The learner's workspace: a git repository of the deployable code, with a believable history.

Every git command runs with a fixed environment, without the user's configuration and without hooks, so the same
calls give the same hashes on every machine.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from filelock import FileLock

from crashlab.errors import MissingPrerequisite, StackError, UsageError
from crashlab.stack.base import Commit, Edit

ON_CALL = "On call <on-call@example.com>"
"""Author of commits that are made on the learner's behalf."""
STEP = timedelta(minutes=1)
"""Time between the last commit and one whose date nobody gave; a wall clock would not repeat."""

OPTIONS = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.autocrlf=false",
    "-c", "core.quotePath=false",
    "-c", "commit.gpgsign=false",
    "-c", "advice.detachedHead=false",
    "-c", "gc.auto=0",
    "-c", "safe.directory=*",
)  # fmt: skip

CONFIG = """[user]
	name = On call
	email = on-call@example.com
[commit]
	gpgSign = false
	template =
[tag]
	gpgSign = false
[core]
	hooksPath = .git/hooks
	autocrlf = false
	safecrlf = false
	excludesFile =
	attributesFile =
[gc]
	auto = 0
"""
"""What the repository says itself, for git as a person calls it: nothing of their own settings reaches it, and git knows who commits."""


@dataclass(frozen=True)
class LogEntry:
    """One commit: hash, author date in ISO 8601, author, first line of the message, and the files it touched."""

    sha: str
    when: str
    author: str
    subject: str
    files: tuple[str, ...]


def occurs_once(text: str, edit: Edit) -> None:
    """Raise UsageError unless the edit's old text occurs exactly once in `text`."""
    count = text.count(edit.old)
    if count != 1:
        raise UsageError(
            f"The text to replace in {edit.path} occurs {count} times; it must occur exactly once.",
            "Choose a longer or more precise passage.",
        )


class GitWorkspace:
    """A workspace in the folder `path`. Methods raise StackError where git itself fails."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, root: Path, workload: str, weeks: int = 0) -> "GitWorkspace":
        """Make the repository of a workload's code from the project in `root`, or return the one that is there.

        The commits' dates are those of the workload's history, moved by `weeks`.
        The last commit's tree is exactly the code in `root`. A killed call leaves nothing half done. Raises
        UsageError where the workload's history does not fit its code.
        """
        from crashlab import history

        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.parent / f".{path.name}.lock"):
            if (path / ".git").is_dir():
                return cls(path)
            draft = path.parent / f".{path.name}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(path, ignore_errors=True)
            draft.mkdir()
            made = cls(draft)
            made.git("init", "--quiet", "--template=", "--initial-branch=main")
            with (draft / ".git" / "config").open("a", encoding="utf-8") as config:
                config.write(CONFIG)
            made.git("fast-import", "--quiet", stdin=history.stream(root, workload, weeks))
            made.git("reset", "--quiet", "--hard", "main")
            draft.rename(path)
        return cls(path)

    def commit(self, change: Commit) -> str:
        """Apply the edits, lock requirements again where asked to, and commit; returns the new commit's hash.

        A change without a date is made right after the newest commit. All edits fit or none is applied. Raises UsageError where one does not, and BuildFailed where the new
        requirements cannot be resolved.
        """
        from crashlab.stack.envs import compile_requirements

        changed = self._edited(change.edits)
        before = {name: self._read(name) for name in changed}
        locks = [f"{service}/requirements.txt" for service in change.relock]
        before |= {name: self._read(name) for name in locks}
        try:
            for name, text in changed.items():
                target = self.path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            for service in change.relock:
                compile_requirements(self.path / service)
        except BaseException:
            for name, old in before.items():
                self._restore(name, old)
            raise
        names = [*changed, *locks]
        self.git("add", "--", *names)
        if not self.git("diff", "--cached", "--name-only", "HEAD", "--", *names):
            raise UsageError("The commit changes nothing.", "Its edits replace text by the same text.")
        when = datetime.fromisoformat(change.when) if change.when else self._next()
        return self._commit(change.message, change.author, when, names)

    def revert(self, commit: str) -> str:
        """Commit the inverse of `commit`; returns the new hash. Raises UsageError where later changes overlap it."""
        when = self._next()
        try:
            self.git("revert", "--no-edit", commit, extra=_identity(ON_CALL, when))
        except StackError as error:
            aborted = self._run(("revert", "--abort"), b"", {})
            if aborted.returncode != 0:
                self._run(("reset", "--merge"), b"", {})
            raise UsageError(
                f"Commit {commit[:7]} cannot be reverted on its own.",
                "Undo it by hand: later changes touch the same lines.",
            ) from error
        return self.head()

    def head(self) -> str:
        """Hash of the current commit."""
        return self.git("rev-parse", "HEAD").strip()

    def dirty(self) -> bool:
        """Whether anything is uncommitted, untracked files included."""
        return bool(self.git("status", "--porcelain", "--untracked-files=all").strip())

    def commit_all(self, message: str) -> str:
        """Commit everything that changed, untracked files included; returns HEAD's hash, a new one or the old one."""
        self.git("add", "--all")
        if not self.git("diff", "--cached", "--name-only", "HEAD"):
            return self.head()
        return self._commit(message, ON_CALL, self._next(), ())

    def restore(self, commit: str) -> str:
        """Commit the tree of an earlier commit, whatever happened since; returns the new commit's hash."""
        self.git("add", "--all")
        self.git("read-tree", "-u", "--reset", commit)
        return self.commit_all(f"Back to {commit[:7]}")

    def diff(self, base: str) -> str:
        """Return the changes from commit `base` to the working tree, untracked files included, as a unified diff."""
        # A copy of the index takes the untracked files in, so that what the learner has staged stays as it is.
        with tempfile.TemporaryDirectory(prefix="crashlab-diff-") as folder:
            index = Path(folder) / "index"
            own = self.path / ".git" / "index"
            if own.is_file():
                shutil.copyfile(own, index)
            extra = {"GIT_INDEX_FILE": str(index)}
            self.git("add", "--all", extra=extra)
            options = (
                "--no-color",
                "--no-ext-diff",
                "--no-textconv",
                "--no-renames",
                # An editor, or a git that was told so, writes other ends of lines; that is no change.
                "--ignore-space-at-eol",
                "--ignore-cr-at-eol",
                "--src-prefix=a/",
                "--dst-prefix=b/",
            )
            return self.git("diff", "--cached", *options, base, extra=extra)

    def log(self, count: int) -> list[LogEntry]:
        """Return the newest `count` commits, newest first."""
        form = "--format=%x1e%H%x1f%aI%x1f%an <%ae>%x1f%s"
        text = self.git("log", f"--max-count={count}", "--name-only", form)
        entries = []
        for part in text.split("\x1e")[1:]:
            heading, *files = part.splitlines()
            sha, when, author, subject = heading.split("\x1f", 3)
            entries.append(LogEntry(sha, when, author, subject, tuple(name for name in files if name)))
        return entries

    def show(self, path: str, commit: str = "HEAD") -> str:
        """Return the text of a file in a commit; empty where the commit has no such file."""
        done = self._run(("show", f"{commit}:{path}"), b"", {})
        return done.stdout.decode(errors="replace") if done.returncode == 0 else ""

    def export(self, target: Path, *folders: str, commit: str = "HEAD") -> None:
        """Write the folders of a commit below `target`, which is made. Raises UsageError where one is missing."""
        import io
        import tarfile

        done = self._run(("archive", "--format=tar", commit, "--", *folders), b"", {})
        if done.returncode != 0:
            raise UsageError(
                f"The workspace has no committed folder {' or '.join(folders)}.",
                "Restore it with git, then deploy again.",
            )
        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(target, filter="data")

    def git(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> str:
        """Run one git command in the workspace and return what it printed. Raises StackError where it fails."""
        done = self._run(arguments, stdin, extra or {})
        if done.returncode != 0:
            reason = done.stderr.decode(errors="replace").strip()[-400:]
            raise StackError(f"git {arguments[0]} failed in the workspace.", reason)
        return done.stdout.decode(errors="replace")

    def _run(
        self, arguments: tuple[str, ...], stdin: bytes, extra: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.path),
            "LC_ALL": "C",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self.path.parent),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_EDITOR": "true",
            **extra,
        }
        try:
            return subprocess.run(
                ("git", *OPTIONS, *arguments),
                cwd=self.path,
                env=environment,
                input=stdin,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            if not self.path.is_dir():
                raise StackError("The workspace is gone.", "Stop this incident and start another one.") from error
            raise MissingPrerequisite("git is not installed.", "Install git, then run the command again.") from error

    def _commit(self, message: str, author: str, when: datetime, names: tuple[str, ...] | list[str]) -> str:
        only = ("--", *names) if names else ()
        self.git("commit", "--quiet", "--file=-", *only, stdin=message.encode(), extra=_identity(author, when))
        return self.head()

    def _next(self) -> datetime:
        return datetime.fromisoformat(self.git("log", "--max-count=1", "--format=%cI").strip()) + STEP

    def _edited(self, edits: tuple[Edit, ...]) -> dict[str, str]:
        texts: dict[str, str] = {}
        for edit in edits:
            if PurePosixPath(edit.path).is_absolute() or {"..", ".git"} & set(PurePosixPath(edit.path).parts):
                raise UsageError(
                    f"{edit.path} is not a file of the workspace.", "Name it from the top of the workspace."
                )
            text = texts.get(edit.path, self._read(edit.path))
            if not edit.old:
                if text is not None:
                    raise UsageError(f"{edit.path} is there already.", "Give the text to replace.")
                texts[edit.path] = edit.new
                continue
            if text is None:
                raise UsageError(f"The workspace has no file {edit.path}.", "Leave the old text empty to create it.")
            occurs_once(text, edit)
            texts[edit.path] = text.replace(edit.old, edit.new)
        return texts

    def _read(self, name: str) -> str | None:
        path = self.path / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def _restore(self, name: str, text: str | None) -> None:
        if text is None:
            (self.path / name).unlink(missing_ok=True)
        else:
            (self.path / name).write_text(text, encoding="utf-8")


def split_author(author: str) -> tuple[str, str]:
    """Split `Name <address>`. Raises UsageError for anything else."""
    name, found, address = author.rstrip().rstrip(">").partition(" <")
    if not found or not name or not address:
        raise UsageError(f"{author!r} is not an author.", "Write it as `Name <address>`.")
    return name, address


def git_date(when: datetime) -> str:
    """Write a moment the way git stores it: seconds since 1970 and the offset from UTC. No offset means UTC."""
    offset = int((when.utcoffset() or timedelta()).total_seconds()) // 60
    hours, minutes = divmod(abs(offset), 60)
    stamp = when if when.tzinfo else datetime.fromisoformat(when.isoformat() + "+00:00")
    return f"{int(stamp.timestamp())} {'-' if offset < 0 else '+'}{hours:02d}{minutes:02d}"


def _identity(author: str, when: datetime) -> dict[str, str]:
    name, address = split_author(author)
    date = git_date(when)
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": address,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": address,
        "GIT_COMMITTER_DATE": date,
    }

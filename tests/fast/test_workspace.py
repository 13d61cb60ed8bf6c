"""The workspace repeats exactly, replays its history, and changes all or nothing."""

import subprocess
from pathlib import Path

import pytest

from crashlab import history
from crashlab.errors import BuildFailed, StackError, UsageError
from crashlab.stack import envs
from crashlab.stack.base import Commit, Edit
from crashlab.workspace import GitWorkspace, git_date, split_author

ROOT = Path(__file__).resolve().parents[2]
AUTHOR = "Ada <ada@example.com>"
WHEN = "2026-09-01T10:00:00+00:00"

HISTORY = """
[first]
message = "Begin"
author = "Ada <ada@example.com>"
when = "2026-01-02T09:00:00+01:00"

[[commit]]
message = '''Raise the limit

Because.'''
author = "Ben <ben@example.com>"
when = "2026-02-02T09:00:00+00:00"
  [[commit.edit]]
  path = "serving/app.py"
  before = "LIMIT = 1"
  after = "LIMIT = 2"

[[commit]]
message = "Add notes"
author = "Ada <ada@example.com>"
when = "2026-03-02T09:00:00+00:00"
  [[commit.edit]]
  path = "serving/notes.md"
  before = ""
  after = "Nötes\\n"
  [[commit.edit]]
  path = "serving/app.py"
  before = "LIMIT = 2"
  after = "LIMIT = 3"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "serving/app.py": "LIMIT = 3\nNAME = 'a'\n",
        "serving/notes.md": "Nötes\n",
        "serving/__pycache__/app.pyc": "bytecode",
        "serving/tests/test_app.py": "hidden",
        "training/toy/model.py": "X = 1\n",
        "training/toy/history.toml": HISTORY,
        "training/toy/workload.toml": "",
        "training/toy/distractors.toml": "",
        "featurelib/releases/1.0.0/data.bin": "\0",
        "scenarios/secret.py": "the truth",
    }
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "root"


@pytest.fixture
def workspace(root: Path, tmp_path: Path) -> GitWorkspace:
    return GitWorkspace.create(tmp_path / "home" / "workspace", root, "toy")


def change(*edits: Edit, message: str = "Change") -> Commit:
    return Commit(message, edits, AUTHOR, WHEN)


def files(workspace: GitWorkspace) -> set[str]:
    return set(workspace.git("ls-files").split())


def test_the_last_tree_is_the_code_and_nothing_of_the_engine(workspace, root):
    expected = {
        ".gitignore",
        "serving/app.py",
        "serving/notes.md",
        "training/toy/model.py",
        "featurelib/releases/1.0.0/data.bin",
    }
    assert files(workspace) == expected
    assert not workspace.dirty()
    for name in expected - {".gitignore"}:
        assert (workspace.path / name).read_bytes() == (root / name).read_bytes()


def test_history_is_replayed_with_its_authors_and_dates(workspace):
    log = workspace.log(10)
    assert [(e.subject, e.author, e.when, e.files) for e in log[:2]] == [
        ("Add notes", AUTHOR, "2026-03-02T09:00:00+00:00", ("serving/app.py", "serving/notes.md")),
        ("Raise the limit", "Ben <ben@example.com>", "2026-02-02T09:00:00+00:00", ("serving/app.py",)),
    ]
    assert (log[2].subject, log[2].when) == ("Begin", "2026-01-02T09:00:00+01:00")
    assert workspace.git("show", f"{log[2].sha}:serving/app.py") == "LIMIT = 1\nNAME = 'a'\n"
    assert "serving/notes.md" not in workspace.git("ls-tree", "-r", "--name-only", log[1].sha)
    assert workspace.git("branch", "--show-current").strip() == "main"


def test_hashes_repeat_whatever_the_users_git_says(workspace, root, tmp_path, monkeypatch):
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Me\nemail = me@example.com\n[core]\nautocrlf = true\n[commit]\ngpgsign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Me")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    other = GitWorkspace.create(tmp_path / "other", root, "toy")
    assert other.head() == workspace.head()
    edit = change(Edit("serving/app.py", "'a'", "'b'"))
    assert other.commit(edit) == workspace.commit(edit)
    assert other.revert(other.head()) == workspace.revert(workspace.head())


def test_creating_again_returns_what_is_there(workspace, root):
    workspace.commit(change(Edit("serving/app.py", "'a'", "'b'")))
    assert GitWorkspace.create(workspace.path, root, "toy").head() == workspace.head()


def test_creating_takes_up_after_a_killed_call(root, tmp_path):
    path = tmp_path / "workspace"
    (tmp_path / ".workspace.draft").mkdir()
    (tmp_path / ".workspace.draft" / "half").write_text("")
    path.mkdir()
    assert not GitWorkspace.create(path, root, "toy").dirty()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('after = "LIMIT = 2"', 'after = "LIMIT = 9"', "occurs 0 times"),
        ('before = "LIMIT = 1"', 'before = "N"', "does not lead|occurs"),
        ('path = "serving/notes.md"', 'path = "serving/other.md"', "is not what the change created"),
        ('author = "Ben <ben@example.com>"', 'author = "Ben"', "is not an author"),
        ('message = "Add notes"', "", "has no 'message'"),
        ("[first]", "[first", "is not valid"),
    ],
)
def test_a_history_that_does_not_fit_is_refused(root, tmp_path, old, new, reason):
    path = root / "training" / "toy" / "history.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=reason):
        GitWorkspace.create(tmp_path / "workspace", root, "toy")
    assert not (tmp_path / "workspace").exists()


def test_a_workload_without_history_has_one_commit(root, tmp_path):
    (root / "training" / "toy" / "history.toml").unlink()
    assert len(GitWorkspace.create(tmp_path / "workspace", root, "toy").log(5)) == 1


def test_the_real_history_leads_to_the_real_code(tmp_path):
    made = GitWorkspace.create(tmp_path / "workspace", ROOT, "eta")
    assert len(made.log(50)) > 3
    for name, content in history.tree(ROOT).items():
        assert (made.path / name).read_bytes() == content
    assert not list(made.path.rglob("*.toml.bak"))
    assert not list((made.path / "training").rglob("workload.toml"))


def test_commit_applies_every_edit(workspace):
    sha = workspace.commit(
        change(
            Edit("serving/app.py", "LIMIT = 3", "LIMIT = 4"),
            Edit("serving/app.py", "LIMIT = 4\n", "LIMIT = 5\n"),
            Edit("serving/new/deep.py", "", "Y = 1\n"),
            message="Two lines\n\nand a body",
        )
    )
    entry = workspace.log(1)[0]
    assert (entry.sha, entry.subject, entry.author, entry.when) == (sha, "Two lines", AUTHOR, WHEN)
    assert entry.files == ("serving/app.py", "serving/new/deep.py")
    assert "LIMIT = 5" in (workspace.path / "serving/app.py").read_text()


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Edit("serving/app.py", "nowhere", "x"), "occurs 0 times"),
        (Edit("serving/app.py", "=", "x"), "occurs 2 times"),
        (Edit("serving/none.py", "x", "y"), "has no file"),
        (Edit("serving/app.py", "", "y"), "is there already"),
        (Edit("../outside.py", "", "y"), "is not a file of the workspace"),
        (Edit("/outside.py", "", "y"), "is not a file of the workspace"),
        (Edit(".git/config", "", "y"), "is not a file of the workspace"),
        (Edit("serving/app.py", "'a'", "'a'"), "changes nothing"),
    ],
)
def test_an_edit_that_does_not_fit_changes_nothing(workspace, edit, reason):
    head = workspace.head()
    with pytest.raises(UsageError, match=reason):
        workspace.commit(change(edit) if "nothing" in reason else change(Edit("serving/app.py", "LIMIT", "TOP"), edit))
    assert workspace.head() == head
    assert not workspace.dirty()


def test_commit_leaves_the_learners_own_changes_alone(workspace):
    (workspace.path / "training/toy/model.py").write_text("X = 2\n")
    (workspace.path / "scratch.txt").write_text("mine")
    workspace.git("add", "training/toy/model.py")
    workspace.commit(change(Edit("serving/app.py", "'a'", "'b'")))
    assert workspace.log(1)[0].files == ("serving/app.py",)
    assert workspace.git("status", "--porcelain").split() == ["M", "training/toy/model.py", "??", "scratch.txt"]


def test_revert_undoes_one_commit(workspace):
    first = workspace.commit(change(Edit("serving/app.py", "'a'", "'b'")))
    workspace.commit(change(Edit("training/toy/model.py", "X = 1", "X = 2")))
    workspace.revert(first)
    assert "'a'" in (workspace.path / "serving/app.py").read_text()
    assert "X = 2" in (workspace.path / "training/toy/model.py").read_text()
    assert workspace.log(1)[0].when == "2026-09-01T10:01:00+00:00"


def test_revert_of_overlapping_changes_is_refused_and_leaves_the_tree_clean(workspace):
    first = workspace.commit(change(Edit("serving/app.py", "'a'", "'b'")))
    workspace.commit(change(Edit("serving/app.py", "'b'", "'c'")))
    head = workspace.head()
    with pytest.raises(UsageError, match="cannot be reverted"):
        workspace.revert(first)
    assert workspace.head() == head
    assert not workspace.dirty()


def test_diff_and_commit_all_take_untracked_files_in(workspace):
    base = workspace.head()
    assert workspace.diff(base) == ""
    (workspace.path / "new.txt").write_text("one\n")
    (workspace.path / "serving/app.py").write_text("LIMIT = 9\n")
    assert workspace.dirty()
    before = workspace.diff(base)
    assert "+++ b/new.txt\n@@ -0,0 +1 @@\n+one" in before
    assert "+LIMIT = 9" in before
    assert "?? new.txt" in workspace.git("status", "--porcelain")
    sha = workspace.commit_all("Work of the learner")
    assert workspace.log(1)[0].author == "On call <on-call@example.com>"
    assert workspace.diff(base) == before
    assert workspace.commit_all("Nothing") == sha


def test_hooks_and_filters_of_the_repository_do_not_run(workspace, tmp_path):
    hooks = workspace.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-commit").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    workspace.git("config", "diff.external", f"touch {tmp_path}/ran")
    workspace.commit(change(Edit("serving/app.py", "'a'", "'b'")))
    workspace.diff(workspace.log(2)[1].sha)
    assert not (tmp_path / "ran").exists()


def test_export_writes_committed_files_only(workspace, tmp_path):
    (workspace.path / "serving/app.py").write_text("not committed")
    workspace.export(tmp_path / "out", "serving")
    assert sorted(path.name for path in (tmp_path / "out" / "serving").iterdir()) == ["app.py", "notes.md"]
    assert "LIMIT = 3" in (tmp_path / "out" / "serving" / "app.py").read_text()
    with pytest.raises(UsageError, match="no committed folder"):
        workspace.export(tmp_path / "out", "nothing")


def test_relock_is_part_of_the_commit(workspace, monkeypatch):
    def compile_requirements(folder: Path) -> None:
        pins = (folder / "requirements.in").read_text().replace("\n", " --hash=sha256:0\n")
        (folder / "requirements.txt").write_text(pins)

    monkeypatch.setattr(envs, "compile_requirements", compile_requirements)
    add = Commit("Pin", (Edit("serving/requirements.in", "", "a==1\n"),), AUTHOR, WHEN, relock=("serving",))
    workspace.commit(add)
    move = Commit("Move", (Edit("serving/requirements.in", "a==1", "a==2"),), AUTHOR, WHEN, relock=("serving",))
    sha = workspace.commit(move)
    assert workspace.log(1)[0].files == ("serving/requirements.in", "serving/requirements.txt")
    workspace.revert(sha)
    assert (workspace.path / "serving/requirements.txt").read_text() == "a==1 --hash=sha256:0\n"


def test_a_relock_that_fails_changes_nothing(workspace, monkeypatch):
    def compile_requirements(folder: Path) -> None:
        raise BuildFailed(f"The requirements of {folder.name} cannot be resolved.", "no such version")

    monkeypatch.setattr(envs, "compile_requirements", compile_requirements)
    with pytest.raises(BuildFailed, match="cannot be resolved"):
        workspace.commit(
            Commit("Pin", (Edit("serving/requirements.in", "", "a==1\n"),), AUTHOR, WHEN, relock=("serving",))
        )
    assert not workspace.dirty()


def test_a_workspace_that_is_gone_or_broken_says_so(workspace, tmp_path):
    with pytest.raises(StackError, match="git show failed"):
        workspace.git("show", "no-such-commit")
    with pytest.raises(StackError, match="workspace is gone"):
        GitWorkspace(tmp_path / "nowhere").head()


def test_dates_and_authors():
    from datetime import datetime

    assert git_date(datetime.fromisoformat("2026-01-01T00:00:00-05:30")) == "1767245400 -0530"
    assert git_date(datetime.fromisoformat("2026-01-01T00:00:00")) == "1767225600 +0000"
    assert split_author("Ada von X <a@example.com>") == ("Ada von X", "a@example.com")
    with pytest.raises(UsageError, match="is not an author"):
        split_author("Ada")


def test_git_is_needed(workspace, monkeypatch):
    from crashlab.errors import MissingPrerequisite

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    with pytest.raises(MissingPrerequisite, match="git is not installed"):
        workspace.head()


def test_a_persons_own_git_works_there_whatever_its_settings_say(workspace, tmp_path):
    home = tmp_path / "person"
    home.mkdir()
    hook = home / "hooks" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (home / "ignored").write_text("*.md\n")
    (home / ".gitconfig").write_text(
        f"[commit]\n\tgpgsign = true\n\ttemplate = {home}/none\n[core]\n\thooksPath = {home}/hooks\n\tautocrlf = true\n"
        f"\texcludesFile = {home}/ignored\n[user]\n\tuseConfigOnly = true\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "GIT_EDITOR": "true"}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=workspace.path, env=environment, check=True, capture_output=True, text=True
        ).stdout

    git("revert", "--no-edit", "HEAD")
    assert git("log", "-1", "--format=%an <%ae>").strip() == "On call <on-call@example.com>"
    assert b"\r" not in (workspace.path / "serving" / "app.py").read_bytes()
    (workspace.path / "serving" / "more.md").write_text("more\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "More")
    assert "more.md" in git("show", "--name-only")


def test_ends_of_lines_are_no_change(workspace):
    base = workspace.head()
    path = workspace.path / "serving" / "app.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"  \r\n"))
    assert not [line for line in workspace.diff(base).splitlines() if line.startswith(("+", "-"))]
    path.write_bytes(path.read_bytes().replace(b"LIMIT = 3", b"LIMIT = 4"))
    changed = [
        line for line in workspace.diff(base).splitlines() if line.startswith(("+", "-")) and line[1:2] != line[:1]
    ]
    assert [line.split()[-1] for line in changed] == ["3", "4"]

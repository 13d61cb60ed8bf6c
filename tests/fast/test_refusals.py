"""What Docker refuses is told in one sentence, with what to do; the messages are those of real engines and plug-ins."""

import os
from pathlib import Path

import pytest

from crashlab.errors import MissingPrerequisite
from crashlab.stack import engine
from crashlab.stack.engine import Engine
from crashlab.stack.refusals import known, missing


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "unknown flag: --project-name\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]",
            "Docker has no `compose` command.",
        ),
        ("docker: 'compose' is not a docker command.\nSee 'docker --help'", "Docker has no `compose` command."),
        ("docker: unknown command: docker compose", "Docker has no `compose` command."),
        ("compose build requires buildx 0.17 or later", "Docker has no `buildx` command."),
        (
            "ERROR: BuildKit is enabled but the buildx component is missing or broken.",
            "Docker has no `buildx` command.",
        ),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get ...",
            "This user may not talk to Docker.",
        ),
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "Docker does not answer.",
        ),
    ],
)
def test_what_an_installation_lacks_is_named(said: str, message: str) -> None:
    found = missing(said)
    assert found is not None
    assert found.message == message
    assert "--runtime embedded" in found.hint


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        (
            "#6 0.5 dd: error writing '/small/x': No space left on device\nfailed to solve: exit code: 1",
            "Docker could not write: the disk is full.",
            "docker builder prune",
        ),
        (
            "failed to solve: python:9.9-nowhere: failed to resolve source metadata for docker.io/library/python: no such host",
            "The image python:9.9-nowhere could not be pulled.",
            "`docker pull python:9.9-nowhere`",
        ),
        (
            "Error response from daemon: pull access denied for postgress, repository does not exist",
            "The image postgress could not be pulled.",
            "`docker pull postgress`",
        ),
    ],
)
def test_a_reason_outside_of_the_code_is_named(said: str, message: str, hint: str) -> None:
    found = known(said)
    assert found is not None
    assert found.message == message
    assert hint in found.hint


def test_what_the_code_did_is_quoted() -> None:
    assert missing("ERROR: No matching distribution found for featurelib==99") is None
    assert known("ERROR: No matching distribution found for featurelib==99") is None


def test_the_command_line_is_asked_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "docker"
    shim.write_text("#!/bin/sh\necho 'unknown flag: --project-name' >&2\nexit 125\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(MissingPrerequisite, match="no `compose` command"):
        Engine("none").docker(["compose", "--project-name", "none", "version"], tmp_path)


def test_a_socket_that_may_not_be_used_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(engine, "_knock", refuse)
    with pytest.raises(MissingPrerequisite, match="This user may not talk to Docker") as failure:
        engine.require()
    assert "group `docker`" in failure.value.hint

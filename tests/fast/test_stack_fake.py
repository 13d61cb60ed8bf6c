"""The stack in memory keeps the protocol, and what Docker prints becomes an error that names the port."""

import inspect

import pytest

from crashlab.errors import BuildFailed, MissingPrerequisite, StackError, UsageError
from crashlab.stack import engine, processes
from crashlab.stack.base import Commit, Finished, Stack, job, states
from crashlab.stack.compose import ComposeStack
from crashlab.stack.embedded import EmbeddedStack
from crashlab.stack.engine import Engine
from crashlab.stack.fake import FakeRegistry, FakeStack
from crashlab.stack.refusals import explain

METHODS = [name for name, value in vars(Stack).items() if inspect.isfunction(value) and not name.startswith("_")]


def test_the_protocol_stays_small():
    assert len(METHODS) <= 8, METHODS


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", [FakeStack, EmbeddedStack, ComposeStack])
def test_every_stack_has_the_protocols_parameters(kind, name):
    expected = [(p.name, p.default) for p in inspect.signature(getattr(Stack, name)).parameters.values()]
    assert [(p.name, p.default) for p in inspect.signature(getattr(kind, name)).parameters.values()] == expected


def test_it_remembers_what_was_asked(tmp_path):
    stack = FakeStack(tmp_path, answers={"echo": lambda text: Finished(0, text, "")}, log={"serving": "a\nb\nc"})
    stack.up()
    assert [state.running for state in states(stack)] == [True, False, True, True]
    assert job(stack, ["echo"], stdin="in").out == "in"
    assert stack.logs("serving", 2) == "b\nc"
    sha = stack.workspace.commit(Commit("m", (), "A <a@example.com>", ""))
    assert stack.deploy().commit == sha
    stack.down(["serving"])
    stack.down()
    assert [name for name, _ in stack.calls] == ["up", "run", "deploy", "down", "down"]


def test_it_fails_on_request(tmp_path):
    stack = FakeStack(tmp_path, broken={"serving"}, build_error="It does not build.")
    with pytest.raises(StackError):
        stack.up(["serving"])
    with pytest.raises(BuildFailed, match="does not build"):
        stack.deploy()
    with pytest.raises(UsageError):
        stack.down(["nginx"])


def test_its_registry_moves_aliases_to_versions_that_there_are():
    registry = FakeRegistry(tags={1: {"run_id": "r"}})
    registry.move_alias("champion", 1)
    assert registry.aliases() == {"champion": 1}
    with pytest.raises(UsageError):
        registry.move_alias("champion", 2)


@pytest.mark.parametrize(
    "message",
    [
        "Error response from daemon: endpoint x-1 (3c4): Bind for 127.0.0.1:5000 failed: port is already allocated",
        "Error starting userland proxy: listen tcp4 127.0.0.1:5000: bind: address already in use",
    ],
)
def test_a_used_port_is_named(message):
    assert explain("mlflow", message).message == "Port 5000 for mlflow is in use."


def test_another_failure_is_quoted():
    error = explain("mlflow", "no such runtime: kata\n")
    assert (error.message, error.hint) == ("mlflow did not start.", "no such runtime: kata")


def test_without_docker_the_other_runtime_is_offered(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert not engine.answers()
    stack = ComposeStack(tmp_path / "home", tmp_path, tmp_path, "eta")
    for call in (lambda: states(stack), lambda: stack.url("serving"), lambda: stack.logs("mlflow")):
        with pytest.raises(MissingPrerequisite, match="Docker does not answer") as failure:
            call()
        assert "--runtime embedded" in failure.value.hint


def test_without_the_docker_command_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPrerequisite, match="docker command is not installed"):
        Engine("x").docker(["ps"], tmp_path)


def test_a_compose_stack_chooses_its_port_once(tmp_path):
    first = ComposeStack(tmp_path / "one", tmp_path, tmp_path, "eta")
    assert first._port in processes.PORTS
    assert ComposeStack(tmp_path / "one", tmp_path, tmp_path, "eta")._port == first._port


def test_project_names_are_compose_names_and_differ(tmp_path):
    names = {ComposeStack(tmp_path / name, tmp_path, tmp_path, "eta").project for name in ("A b/system", "a b/system")}
    assert len(names) == 2
    assert all(name.startswith("crashlab-a-b-") for name in names)

"""What is deployed: the registry, installed packages, the manifest and its limits, the log, the latest commits."""

import re
from collections import Counter

from crashlab.evidence.figures import number
from crashlab.evidence.observer import Facts, Observer, answered
from crashlab.model import Value
from crashlab.pins import pins
from crashlab.registry import RegistryClient
from crashlab.stack import manifest
from crashlab.stack.base import packages, states
from crashlab.stack.services import find, requirements_folder
from crashlab.workspace import GitWorkspace

SIDES = ("serving", "training")
ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception)): (\S.*)$", re.MULTILINE)
"""The last line of a traceback: the class of an error, and its message."""
LONGEST = 120
"""Characters of a tag that is a fact and not a document."""


def registry_facts(seen: Observer) -> Facts:
    """Aliases; promotion records, offline metrics and size of every version; importance of the served features."""
    registry = seen.stack.registry
    aliases, versions = registry.aliases(), registry.versions()
    facts: Facts = {f"registry alias={alias} version": version for alias, version in aliases.items()}
    if versions:
        facts["registry latest version"] = max(versions)
    for version, tags in versions.items():
        facts.update(
            {
                f"registry version={version} {k}": v
                for k, v in tags.items()
                if re.fullmatch(r"[a-z_]+", k) and len(v) < LONGEST
            }
        )
    quality = seen.workload.quality
    if isinstance(registry, RegistryClient):
        for version, tags in versions.items():
            metrics = registry.run(tags["run_id"]).metrics
            wanted = (quality.metric, *quality.also, "label_mean", "label_max")
            facts.update({f"registry version={version} {n}": number(metrics[n]) for n in wanted if n in metrics})
            size = registry.size_bytes(version)
            if size is not None:
                facts[f"registry version={version} size_mb"] = number(size / 1e6)
            if version == aliases.get("champion"):
                facts.update(
                    {
                        f"importance {name.removeprefix('importance_')}": number(value)
                        for name, value in metrics.items()
                        if name.startswith("importance_")
                    }
                )
    return facts


@answered
def serving_facts(seen: Observer) -> Facts:
    """What the API says it serves."""
    model = seen.info.get("model", {})
    return {
        "serving version": int(model.get("version", 0)),
        "serving run_id": str(model.get("run_id", "")),
        "serving release": str(seen.info.get("release", "")),
        "serving python": str(seen.info.get("python", "")),
    }


def pin_facts(seen: Observer) -> Facts:
    """Installed versions on the serving and training side, and those logged with the champion; Python is one of them.

    A library of the house that one side pins and another one lacks is `absent` there.
    """
    facts: Facts = {}
    registry = seen.stack.registry
    logged: dict[str, str] = {}
    if isinstance(registry, RegistryClient):
        version = registry.aliases().get("champion")
        logged = registry.requirements(version) if version is not None else {}
        python = registry.python(version) if version is not None else None
        logged |= {"python": python} if python else {}
    sides = {"serving": packages(seen.stack, "serving"), "training": packages(seen.stack, "training"), "model": logged}
    house = internal(seen)
    wanted = set(seen.workload.packages) | set(logged) | house
    for side, versions in sides.items():
        facts.update({f"pin {side} {name}": versions[name] for name in sorted(wanted) if name in versions})
        if versions:
            facts.update({f"pin {side} {name}": "absent" for name in sorted(house) if name not in versions})
    return facts


def internal(seen: Observer) -> set[str]:
    """Names of the libraries of the house that serving or training pins."""
    code = seen.stack.workspace.path
    files = [requirements_folder(code, find(side), seen.workload.name) / "internal.txt" for side in SIDES]
    return {name for file in files if file.is_file() for name in pins(file.read_text(encoding="utf-8"))}


def deployment_facts(seen: Observer) -> Facts:
    """What the manifest of the workspace's last commit says, the limits that the runtime enforces, and what runs."""
    workspace = seen.stack.workspace
    facts: Facts = {}
    if isinstance(workspace, GitWorkspace):
        said = manifest.parse(workspace.show(manifest.FILE))
        facts |= {f"deploy serving {name}": _number_or_text(value) for name, value in said.variables.items()}
    for state in states(seen.stack):
        if state.memory_mb is not None:
            facts[f"limit {state.name} memory_mb"] = state.memory_mb
        if state.cpus is not None:
            facts[f"limit {state.name} cpus"] = number(state.cpus)
        if not find(state.name).one_shot:
            facts[f"service {state.name} running"] = state.running
            facts[f"service {state.name} ready"] = state.healthy
            if state.exit_code is not None:
                facts[f"service {state.name} exit_code"] = state.exit_code
    return facts


def _number_or_text(value: str) -> Value:
    if re.fullmatch(r"\d{1,15}", value):
        return int(value)
    return float(value) if re.fullmatch(r"\d{1,15}\.\d{1,6}", value) else value


def log_facts(seen: Observer) -> Facts:
    """Warnings in the serving log, counted by class, and the last error that was raised."""
    text = seen.stack.logs("serving", 4000)
    counts = Counter(re.findall(r"\b([A-Z]\w+Warning)\b", text))
    facts: Facts = {**{f"logs {name}": count for name, count in counts.items()}, "logs warnings": sum(counts.values())}
    raised = ERROR.findall(text)
    if raised:
        name, message = raised[-1]
        facts["logs error"] = name.rsplit(".", 1)[-1]
        # Without what would end a citation early.
        facts["logs error_message"] = " ".join(re.sub(r"[\[\]='\"`<>]", "", message)[:LONGEST].split())
    return facts


def commit_facts(seen: Observer) -> Facts:
    """Files touched by the latest commits of the workspace, by short hash."""
    workspace = seen.stack.workspace
    if not isinstance(workspace, GitWorkspace):
        return {}
    return {f"commit {entry.sha[:7]} touches": ",".join(entry.files)[:400] for entry in workspace.log(20)}

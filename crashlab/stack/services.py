"""The table of services: what each one runs, with which environment, on which port and how its health is asked.

Both runtimes start services from this table, and a test holds docker-compose.yml to it. Values in braces are filled in
by `command` and `environment` with what the runtime knows:

    host port             address that the service binds
    mlflow                folder of the registry's database and artifacts
    data                  folder that the services share
    workload model        name of the workload and of its registered model
    release               short hash of the commit that runs
    launch                day from which the workload's requests are answered live
    mlflow_url serving_url  base addresses, as the service itself reaches them
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crashlab.errors import UsageError

LAUNCH = "2026-08-31"
"""Launch of a system of which nobody said another one."""
LAUNCH_FILE = "launch"
"""File in a stack's folder that says another one, written where the stack's past was moved in time."""

COMMON: Mapping[str, str] = {
    "WORKLOAD": "{workload}",
    "DATA_DIR": "{data}",
    "MLFLOW_TRACKING_URI": "{mlflow_url}",
    "MODEL_NAME": "{model}",
    "MODEL_ALIAS": "champion",
    "RELEASE": "{release}",
    "LAUNCH_DAY": "{launch}",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "PYTHONUNBUFFERED": "1",
}
"""Environment of every service of the workload. Serving has further variables in its manifest, `serving/deploy.env`."""


@dataclass(frozen=True)
class Service:
    """One row of the table.

    `port` is the one inside a container, None for a service that does not listen. `health` is the path that answers
    200 as soon as the service can do its work. `requirements` is the folder of its requirements files in the project, in
    which a workload may have a folder of its own with other ones; `code` is the package that is deployed from the
    workspace, if any. `memory_mb`,
    `cpus` and `processes` (threads count as such) are limits under Compose.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: COMMON)
    port: int | None = None
    health: str = ""
    requirements: str = ""
    code: str = ""
    memory_mb: int = 512
    cpus: float = 1.0
    processes: int = 512
    one_shot: bool = False


SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service(
            name="mlflow",
            # What `mlflow server` starts as its only worker, without the parent that waits for it: half of the memory.
            command=("python", "-m", "uvicorn", "--host", "{host}", "--port", "{port}", "mlflow.server.fastapi_app:app"),
            environment={
                # The parent's ways of telling its worker, named in mlflow/server/constants.py of the pinned release.
                "_MLFLOW_SERVER_FILE_STORE": "sqlite:///{mlflow}/mlflow.db",
                "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
                "_MLFLOW_SERVER_ARTIFACT_DESTINATION": "{mlflow}/artifacts",
                "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
                "_MLFLOW_SGI_NAME": "uvicorn",
                "MLFLOW_SERVER_ALLOWED_HOSTS": "mlflow:*,localhost:*,127.0.0.1:*",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "DO_NOT_TRACK": "true",
                "PYTHONUNBUFFERED": "1",
            },
            port=5000,
            health="/health",
            requirements="training/registry",
            memory_mb=1024,
            cpus=2.0,
        ),
        Service(
            name="training",
            command=("python", "-m", "training", "bootstrap"),
            environment={**COMMON, "OMP_NUM_THREADS": "1"},
            requirements="training",
            code="training",
            memory_mb=1024,
            cpus=2.0,
            one_shot=True,
        ),
        Service(
            name="serving",
            command=("python", "-m", "serving"),
            environment={**COMMON, "HOST": "{host}", "PORT": "{port}"},
            port=8000,
            health="/ready",
            requirements="serving",
            code="serving",
            memory_mb=512,
            cpus=1.0,
        ),
        Service(
            name="traffic",
            command=("python", "-m", "training", "traffic", "trickle"),
            environment={**COMMON, "OMP_NUM_THREADS": "1", "SERVING_URL": "{serving_url}"},
            requirements="training",
            code="training",
            memory_mb=256,
            cpus=0.5,
        ),
    )
}  # fmt: skip
"""Every service by name, in the order in which they are started."""


def find(name: str) -> Service:
    """Return a service of the table. Raises UsageError for one that does not exist."""
    if name not in SERVICES:
        raise UsageError(f"There is no service {name!r}.", f"Services: {', '.join(SERVICES)}.")
    return SERVICES[name]


def launch(home: Path) -> str:
    """Return the launch of the stack in `home`, in ISO 8601."""
    file = home / LAUNCH_FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else LAUNCH


def requirements_folder(code: Path, service: Service, workload: str) -> Path:
    """Return the folder of the requirements files of a service: the workload's own below `code`, or everybody's."""
    own = code / service.requirements / workload
    return own if (own / "requirements.txt").is_file() else code / service.requirements


def command(service: Service, values: Mapping[str, str]) -> list[str]:
    """Return the service's command line with the runtime's values filled in."""
    return [part.format_map(values) for part in service.command]


def environment(service: Service, values: Mapping[str, str]) -> dict[str, str]:
    """Return the service's environment with the runtime's values filled in."""
    return {name: text.format_map(values) for name, text in service.environment.items()}

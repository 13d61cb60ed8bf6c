"""What Docker says when it refuses, in one sentence and with what to do.

Docker and its plug-ins tell reasons in text alone. What is not recognised is quoted by the caller.
"""

import re

from crashlab.errors import FULL, MissingPrerequisite, StackError

EMBEDDED = "or use --runtime embedded."
NO_DOCKER = ("Docker does not answer.", f"Start it, {EMBEDDED}")
NO_PERMISSION = (
    "This user may not talk to Docker.",
    f"Add the user to the group `docker` and log in again, {EMBEDDED}",
)
NO_COMPOSE = ("Docker has no `compose` command.", f"Install the Compose plug-in of Docker, {EMBEDDED}")
NO_BUILDX = ("Docker has no `buildx` command.", f"Install the Buildx plug-in of Docker, {EMBEDDED}")
NO_COMMAND = ("The docker command is not installed.", f"Install Docker, {EMBEDDED}")

MISSING = (
    (re.compile(r"permission denied while trying to connect|Permission ?[dD]enied.*docker\.sock"), NO_PERMISSION),
    (re.compile(r"Cannot connect to the Docker daemon|error during connect|Is the docker daemon running"), NO_DOCKER),
    # Without the plug-in, the command line takes the plug-in's own options for its own.
    (
        re.compile(r"'compose' is not a docker command|unknown command: docker compose|unknown flag: --project-name"),
        NO_COMPOSE,
    ),
    (re.compile(r"buildx.*(?:is missing|not a docker command)|requires buildx", re.IGNORECASE), NO_BUILDX),
)
"""What an installation lacks, by what its command line prints."""
USED_PORT = re.compile(r"(?::(\d+)[^\n]*?(?:already in use|already allocated)|listen tcp[0-9]* \S+?:(\d+): bind)")
NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
NOT_PULLED = re.compile(
    r"(?:failed to solve: )?(?P<image>[\w./:@-]+): failed to resolve (?:source metadata|reference)"
    r"|pull access denied for (?P<denied>[\w./:-]+)"
    r"|(?:manifest|image) for (?P<unknown>[\w./:-]+) not found"
)


def missing(said: str) -> MissingPrerequisite | None:
    """Return what the installation lacks by what a command line printed, None where that is not the reason."""
    return next((MissingPrerequisite(*told) for pattern, told in MISSING if pattern.search(said)), None)


def known(said: str) -> StackError | None:
    """Return the reason that lies outside of the code that was built or started, None where there is none."""
    if NO_SPACE.search(said):
        return StackError(
            f"Docker could not write: {FULL}.",
            "Make room, for instance with `docker builder prune` and `docker image prune`, then run the command again.",
        )
    if found := NOT_PULLED.search(said):
        image = next(filter(None, found.groups()))
        return StackError(
            f"The image {image} could not be pulled.",
            f"Is the name right, and can Docker reach its registry? `docker pull {image}` tries it alone.",
        )
    return None


def explain(service: str, said: str) -> StackError:
    """Turn what Docker said when it started a service into an error; a port that is in use is named."""
    if used := USED_PORT.search(said):
        port = used.group(1) or used.group(2)
        return StackError(f"Port {port} for {service} is in use.", "End the program that listens on it.")
    return known(said) or StackError(f"{service} did not start.", said.strip()[-1000:])

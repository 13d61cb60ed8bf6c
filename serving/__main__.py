"""Run the API: `python -m serving`, on HOST and PORT."""

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def application() -> "FastAPI":
    """Return the application of one process, with its logging set up."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # The registry's client lists at each start how requirements differ; comparing them is the release's business.
    logging.getLogger("mlflow.utils.requirements_utils").setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)
    from serving import settings
    from serving.app import create_app

    return create_app(settings.load())


def main() -> None:
    """Serve until SIGTERM, then answer what is under way and write the prediction log to its end."""
    import uvicorn

    from serving import settings

    chosen = settings.load()
    uvicorn.run(
        # Further processes import what they serve by its name.
        "serving.__main__:application" if chosen.workers > 1 else application,
        factory=True,
        workers=chosen.workers,
        host=chosen.host,
        port=chosen.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()

"""Where the time of one request goes: by stage, for the client in the answer's `Server-Timing` header and for /metrics.

See the W3C's "Server Timing". Handlers run on threads of a pool, which get a copy of the request's context; what a
context variable points to is shared, so a dictionary that is put there in the middleware is filled by the handler.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

STAGES = ("wait", "features", "model", "record")
"""Waiting from arrival until the work begins, the features, the model, and the answer with its rows for the log."""
_current: ContextVar[dict[str, float] | None] = ContextVar("stages", default=None)


def begin() -> dict[str, float]:
    """Start the account of a request; it is filled while the request is handled. Returns seconds by stage."""
    account: dict[str, float] = {}
    _current.set(account)
    return account


def spent(name: str, seconds: float) -> None:
    """Add seconds to a stage. Outside of a request nothing is kept."""
    account = _current.get()
    if account is not None:
        account[name] = account.get(name, 0.0) + seconds


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time one stage, also where it fails."""
    began = time.perf_counter()
    try:
        yield
    finally:
        spent(name, time.perf_counter() - began)


def header(account: Mapping[str, float]) -> str:
    """Return the value of `Server-Timing`: durations in milliseconds by stage."""
    return ", ".join(f"{name};dur={1000 * seconds:.2f}" for name, seconds in account.items())

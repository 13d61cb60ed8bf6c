"""Errors as clients see them: `{"error": {"type": ..., "message": ..., "field": ...}}`."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class ApiError(Exception):
    """A failure with a status, a type for programs and a message for people."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


def body(kind: str, message: str, field: str | None = None) -> dict[str, Mapping[str, str]]:
    """Return the JSON of an error."""
    return {"error": {"type": kind, "message": message, **({"field": field} if field else {})}}


def install(app: FastAPI) -> None:
    """Answer every failure in the one shape."""

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ApiError)  # noqa: S101 what the decorator promises, said to the type checker
        return JSONResponse(body(error.kind, error.message), error.status)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        return JSONResponse(body("invalid_request", str(first["msg"]), where or None), 422)

    @app.exception_handler(HTTPException)
    async def plain(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        kind = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        return JSONResponse(body(kind, str(error.detail)), error.status_code)

"""Errors as RFC 9457 problem documents: what is wrong, where, and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

__all__ = ["MEDIA_TYPE", "Problem", "ProblemDocument", "answer", "install", "responses"]

MEDIA_TYPE = "application/problem+json"
SHOWN = 8
"""Faults of one request that are told; the rest are counted."""


class Fault(BaseModel):
    """One thing wrong with a request."""

    pointer: str = Field(description="JSON pointer into the body, or the parameter's name")
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["/problems/unknown-symbol"])
    title: str = Field(examples=["Unknown symbol"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["this floor doesn't trade 'R_57'; did you mean 'R_75'?"])
    errors: list[Fault] | None = None


class Problem(HTTPException):
    """A request that can't be answered as asked.

    An ``HTTPException``, so that it passes through FastAPI's reading of the body unchanged.

    Parameters
    ----------
    status
        HTTP status.
    slug
        Last part of the problem's ``type``, such as ``unknown-symbol``.
    detail
        What is wrong and what would be right.
    retry_after
        Seconds after which asking again makes sense.
    faults
        ``(pointer, detail)`` of each fault in the request.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        retry_after: int | None = None,
        faults: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(status, detail)
        self.slug = slug
        self.retry_after, self.faults = retry_after, faults


def answer(problem: Problem) -> Response:
    """Write a problem as a response."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": problem.slug.replace("-", " ").capitalize(),
        "status": problem.status_code,
        "detail": problem.detail,
    }
    if problem.faults:
        shown = [{"pointer": at, "detail": detail} for at, detail in problem.faults[:SHOWN]]
        body["errors"] = shown
    headers = {"cache-control": "no-store"}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    return Response(msgspec.json.encode(body), problem.status_code, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""

    async def known(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return answer(error)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [_told(fault) for fault in error.errors()]
        more = len(faults) - SHOWN
        detail = "; ".join(f"{at}: {text}" for at, text in faults[:SHOWN])
        if more > 0:
            detail += f"; and {more} more"
        return answer(Problem(422, "invalid-request", detail, faults=faults))

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        phrase = HTTPStatus(error.status_code).phrase
        response = answer(
            Problem(error.status_code, phrase.lower().replace(" ", "-"), str(error.detail))
        )
        response.headers.update(error.headers or {})
        return response

    async def unexpected(_: Request, error: Exception) -> Response:
        # The error's own words go to the log, not to whoever asked.
        return answer(Problem(500, "internal-error", "an unexpected error; see the replica's log"))

    app.add_exception_handler(Problem, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the problems a route may answer."""
    schema = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def _told(fault: Any) -> tuple[str, str]:
    """Return where a fault is, and what it is."""
    if fault["type"] == "json_invalid":
        return "/", f"not valid JSON at character {fault['loc'][1]}: {fault['ctx']['error']}"
    return _pointer(fault["loc"]), _words(fault)


def _pointer(location: Sequence[str | int]) -> str:
    where, *path = location
    joined = "".join(f"/{part}" for part in path)
    return (joined or "/") if where == "body" else f"{where}{joined}"


def _words(fault: Any) -> str:
    message = str(fault["msg"])
    text = message[:1].lower() + message[1:]
    value = fault.get("input")
    if isinstance(value, int | float | str) and len(str(value)) <= 40:
        return f"{text}, was {value!r}"
    return text

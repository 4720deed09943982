"""What a command says when it fails: one line, without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import typer
from rich.console import Console

from market.errors import PregaoError, StateError

__all__ = ["console", "plainly"]

console = Console(highlight=False)
errors = Console(stderr=True)


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Print an error of ours as one line, without a traceback; an interrupt is no error."""

    @wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except Exception as error:
            cause = _unwrapped(error)
            if isinstance(cause, PermissionError | FileNotFoundError | NotADirectoryError):
                place = cause.filename or cause
                cause = StateError(f"{place}: {cause.strerror}; choose a folder that can be used")
            if not isinstance(cause, PregaoError):
                raise
            _say(cause)
        except KeyboardInterrupt:
            errors.print("interrupted; everything is stopped")
            raise typer.Exit(130) from None

    return wrapped


def _unwrapped(error: BaseException) -> BaseException:
    """Return what was raised in an actor; Ray's wrapping is of its class too."""
    ray = sys.modules.get("ray.exceptions")
    while ray is not None and isinstance(error, ray.RayTaskError):
        error = error.cause
    return error


def _say(error: PregaoError) -> NoReturn:
    errors.print("[bold red]error[/]", end=" ")
    errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1) from None

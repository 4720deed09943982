"""Every error Pregão raises on purpose, in one tree.

::

    PregaoError
    ├── ConfigError            a setting is wrong: says file, line, key and remedy
    ├── DataError              recorded or received data is unusable
    │   └── UnknownSymbol      nobody here knows this symbol
    ├── VenueError             a venue could not be talked to
    │   ├── VenueUnreachable   no connection, or no answer in time
    │   │   └── OrderUncertain an order was sent and its answer lost: ask before sending again
    │   └── VenueRejected      the venue answered with an error of its own
    ├── StateError             a journal, snapshot or registry entry can't be used
    │   └── SchemaMismatch     it was made for other features or another observation
    └── FloorError             the actors could not be started or stopped
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "ConfigError",
    "DataError",
    "FloorError",
    "OrderUncertain",
    "PregaoError",
    "SchemaMismatch",
    "StateError",
    "UnknownSymbol",
    "VenueError",
    "VenueRejected",
    "VenueUnreachable",
]


class PregaoError(Exception):
    """Base of every error raised on purpose."""


class ConfigError(PregaoError):
    """A setting is wrong.

    Parameters
    ----------
    message
        What is wrong and what would be right.
    path, line, key
        Where it stands, as far as it is known.
    """

    def __init__(
        self, message: str, path: Path | None = None, line: int | None = None, key: str = ""
    ) -> None:
        where = "" if path is None else str(path)
        if line is not None:
            where += f":{line}"
        head = ": ".join(part for part in (where, key) if part)
        super().__init__(f"{head}: {message}" if head else message)
        self.path, self.line, self.key = path, line, key


class DataError(PregaoError):
    """Recorded or received data is unusable; the message names the file or frame.

    Parameters
    ----------
    message
        What is wrong, and where.
    reason
        Its kind, for counting: ``malformed``, ``price``, ``size``, ``time`` or ``symbol``.
    """

    def __init__(self, message: str = "", *, reason: str = "malformed") -> None:
        super().__init__(message)
        self.reason = reason


class UnknownSymbol(DataError):
    """Nobody here knows this symbol."""

    def __init__(self, message: str = "", *, reason: str = "symbol") -> None:
        super().__init__(message, reason=reason)


class VenueError(PregaoError):
    """A venue could not be talked to."""


class VenueUnreachable(VenueError):
    """No connection, or no answer in time."""


class OrderUncertain(VenueUnreachable):
    """An order was sent and its answer was lost; it may have been executed.

    Never send it again before :meth:`venues.base.VenueBroker.find` has said what became of it.
    """


class VenueRejected(VenueError):
    """The venue answered with an error of its own.

    Parameters
    ----------
    code
        The venue's error code, such as ``InvalidSymbol``.
    message
        The venue's own words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class StateError(PregaoError):
    """A journal, snapshot or registry entry can't be used."""


class SchemaMismatch(StateError):
    """An artefact was made for other features or another observation."""


class FloorError(PregaoError):
    """The actors could not be started or stopped."""

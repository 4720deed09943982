"""A reader of bytes from outside, and what makes one of a decoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from market.errors import DataError, VenueError
from venues.deriv.dialect import normalised
from venues.deriv.wire import _whole


@dataclass(frozen=True)
class Decoder:
    """A reader, and input that it takes: fuzzing starts from there."""

    name: str
    read: Callable[[bytes], object]
    examples: tuple[bytes, ...]

    def survives(self, data: bytes) -> bool:
        """Read ``data``; whether it was good. Any exception but ours goes through."""
        try:
            self.read(data)
        except (DataError, VenueError):
            return False
        return True


def deriv_reader(*decode: Callable[[Any], object]) -> Callable[[bytes], object]:
    """Read as the client does: the wire first, then the dialect, then the decoders."""

    def read(data: bytes) -> object:
        whole = _whole(data)
        if whole is None:
            raise DataError("not a frame")
        frame = normalised(msgspec.json.decode(whole))
        good, wrong = [], None
        for one in decode:
            try:
                good.append(one(frame))
            except DataError as error:
                wrong = error
        if not good and wrong is not None:
            raise wrong
        return good

    return read

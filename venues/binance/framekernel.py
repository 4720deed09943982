"""The compiled reader of depth frames: bytes in, rows of levels out.

:mod:`venues.binance.frames` is what calls it. Places in the text and lengths are in bytes; the
numbers compared with are the characters' codes.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from market.ladder import LIMIT, Floats, Ints

__all__ = [
    "BAD_PRICE",
    "BAD_SIZE",
    "CHANGE",
    "END",
    "KIND",
    "LAST",
    "MALFORMED",
    "SNAPSHOT",
    "read_frames",
]

Bytes = npt.NDArray[np.uint8]

OTHER, CHANGE, SNAPSHOT, MALFORMED, BAD_PRICE, BAD_SIZE = 0, 1, 2, -1, -2, -3
KIND, TIME, FIRST, LAST, PREVIOUS, END = range(6)

TENS = 10.0 ** np.arange(23)
WHOLE = 10**15
"""Digits are read as a whole number below this; all such are exact as ``float64``."""


@nb.njit(cache=True, forceinline=True)
def _number(text: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read a quoted decimal at ``at``; return its digits, how many are decimals, and its end.

    Trailing zeros of the decimals are not counted. The end is -1 if it is none.
    """
    if at >= end or text[at] != 34:
        return 0, 0, -1
    at += 1
    whole, decimals, zeros, point, digits = 0, 0, 0, False, 0
    while at < end:
        c = int(text[at]) - 48
        at += 1
        if 0 <= c <= 9:
            digits += 1
            if point and c == 0:
                zeros += 1
                continue
            if point:
                for _ in range(zeros + 1):
                    whole = 10 * whole
                    decimals += 1
                    if whole >= WHOLE:
                        return 0, 0, -1
                zeros = 0
                whole += c
            else:
                whole = 10 * whole + c
            if whole >= WHOLE or decimals > 22:
                return 0, 0, -1
        elif c == -2 and not point and digits:
            point = True
        elif c == -14 and digits:
            return whole, decimals, at
        else:
            return 0, 0, -1
    return 0, 0, -1


@nb.njit(cache=True, forceinline=True)
def _string(text: Bytes, at: int, end: int) -> int:
    """Return the place after a string that begins at ``at``; -1 if it has no end."""
    at += 1
    while at < end:
        c = text[at]
        at += 2 if c == 92 else 1
        if c == 34:
            return at
    return -1


@nb.njit(cache=True)
def _skip(text: Bytes, at: int, end: int) -> int:
    """Return the place after the value at ``at``; -1 if it has no end."""
    deep = 0
    while at < end:
        c = text[at]
        if c == 34:
            at = _string(text, at, end)
            if at < 0:
                return -1
        elif c == 91 or c == 123:
            deep += 1
            at += 1
        elif c == 93 or c == 125:
            if deep == 0:
                return at
            deep -= 1
            at += 1
        elif c == 44 and deep == 0:
            return at
        else:
            at += 1
        if deep == 0 and at < end and (text[at] == 44 or text[at] == 125):
            return at
    return -1


@nb.njit(cache=True, forceinline=True)
def _levels(
    text: Bytes,
    at: int,
    end: int,
    side: int,
    n: int,
    d: int,
    sides: npt.NDArray[np.int8],
    ticks: Ints,
    sizes: Floats,
    row: int,
) -> tuple[int, int]:
    """Read a list of levels; return the place after it, or a refusal, and the next row."""
    at += 1
    if at < end and text[at] == 93:
        return at + 1, row
    while at + 1 < end:
        if text[at] != 91:
            return MALFORMED, row
        whole, decimals, at = _number(text, at + 1, end)
        if at < 0 or at >= end or text[at] != 44:
            return MALFORMED, row
        # Ticks are whole / 10^decimals * d / n, without a rounding.
        scale = d // int(TENS[min(decimals, 18)])
        if scale == 0 or whole == 0 or whole >= WHOLE // scale or (whole * scale) % n:
            return BAD_PRICE, row
        tick = whole * scale // n
        if tick >= LIMIT:
            return BAD_PRICE, row
        whole, decimals, at = _number(text, at + 1, end)
        if at < 0 or at + 1 >= end or text[at] != 93:
            return BAD_SIZE, row
        sides[row], ticks[row], sizes[row] = side, tick, whole / TENS[decimals]
        row += 1
        at += 2
        if text[at - 1] == 93:
            return at, row
        if text[at - 1] != 44:
            return MALFORMED, row
    return MALFORMED, row


@nb.njit(cache=True, forceinline=True)
def _whole(text: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read a whole number; return it and its end, -1 if it is none."""
    value, first = 0, at
    while at < end and 48 <= text[at] <= 57 and at - first < 18:
        value = 10 * value + int(text[at]) - 48
        at += 1
    return value, at if at > first else -1


@nb.njit(cache=True)
def _frame(
    text: Bytes,
    at: int,
    end: int,
    n: int,
    d: int,
    frame: Ints,
    sides: npt.NDArray[np.int8],
    ticks: Ints,
    sizes: Floats,
    row: int,
) -> int:
    """Read one frame from ``at`` to ``end`` into ``frame`` and the rows; return the next row."""
    frame[:] = -1
    frame[KIND] = MALFORMED
    begin, lists, named, deep = row, 0, False, 0
    while at < end and 48 <= text[at] <= 57:
        at += 1
    if at < end and text[at] == 32:
        at += 1
    if at >= end or text[at] != 123:
        return begin
    at += 1
    while at < end:
        if text[at] == 125:
            at += 1
            if at == end or deep == 0:
                break
            deep -= 1
            continue
        if text[at] == 44:
            at += 1
            continue
        key = at + 1
        at = _string(text, at, end) if text[at] == 34 else -1
        if at < 0 or at + 1 >= end or text[at] != 58:
            return begin
        length, c = at - 1 - key, text[key]
        at += 1
        v = text[at]
        if v == 123 and length == 4 and c == 100 and deep == 0:
            deep += 1
            at += 1
        elif v == 91 and (c == 98 or c == 97) and (length == 1 or length == 4):
            side = 1 if c == 98 else -1
            lists += 1
            at, row = _levels(text, at, end, side, n, d, sides, ticks, sizes, row)
            if at < 0:
                frame[KIND] = at
                return begin
        elif 48 <= v <= 57:
            value, at = _whole(text, at, end)
            if at < 0:
                return begin
            if length == 12 and c == 108:
                frame[FIRST] = frame[LAST] = value
                frame[KIND] = SNAPSHOT
            elif length == 2 and c == 112:
                frame[PREVIOUS] = value
            elif length == 1:
                if (c == 69 and frame[TIME] < 0) or c == 84:
                    frame[TIME] = value
                elif c == 85:
                    frame[FIRST] = value
                elif c == 117:
                    frame[LAST] = value
        else:
            if v == 34 and length == 1 and c == 101:
                named = at + 2 < end and text[at + 1] == 100
                if not named:
                    frame[KIND] = OTHER
                    return begin
            after = _skip(text, at, end)
            if v == 34 and length == 6 and c == 115:
                # The name of a stream that is not depth: nothing more of it is read.
                i, found = at, False
                while i + 6 < after:
                    found = found or (text[i] == 64 and text[i + 1] == 100 and text[i + 3] == 112)
                    i += 1
                if not found:
                    frame[KIND] = OTHER
                    return begin
            at = after
            if at < 0:
                return begin
    if at != end or lists > 2 or deep:
        return begin
    if named and lists == 2 and 0 <= frame[FIRST] <= frame[LAST] and frame[TIME] >= 0:
        frame[KIND] = CHANGE
    elif frame[KIND] == SNAPSHOT and lists != 2:
        frame[KIND] = MALFORMED
    elif frame[KIND] != SNAPSHOT:
        frame[KIND] = MALFORMED if named or lists else OTHER
    return row if frame[KIND] > 0 else begin


@nb.njit(cache=True)
def read_frames(
    text: Bytes,
    ends: Ints,
    n: int,
    d: int,
    frames: Ints,
    sides: npt.NDArray[np.int8],
    ticks: Ints,
    sizes: Floats,
) -> tuple[int, int]:
    """Read the lines that end at ``ends``; return how many frames and rows there are."""
    at, count, row = 0, 0, 0
    for end in ends:
        if end > at:
            row = _frame(text, at, end, n, d, frames[count], sides, ticks, sizes, row)
            frames[count, END] = row
            count += 1
        at = end + 1
    return count, row

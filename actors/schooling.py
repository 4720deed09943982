"""What a trained policy has learnt from, noted beside its file: no hold-out of it may judge it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from envs.tape import DecisionTape
from market.errors import StateError
from venues.library.words import moment

__all__ = ["note", "refuse_seen"]


class _Schooling(msgspec.Struct, frozen=True):
    """``sha256`` of the policy's file, and the last decision it was trained on by symbol."""

    sha256: str
    until: dict[str, int]


def note(policy: Path, tapes: Iterable[DecisionTape]) -> None:
    """Write down what a policy was trained on."""
    until = {one.instrument.symbol: int(one.times[-1]) for one in tapes}
    _beside(policy).write_bytes(msgspec.json.encode(_Schooling(_digest(policy), until)))


def refuse_seen(policy: Path, symbol: str, unseen: int) -> None:
    """Raise if a policy was trained on what lies behind ``unseen``, or nobody can know.

    Raises
    ------
    StateError
        There is no trained policy, it doesn't say what it learnt from, or it has seen the hold-out.
    """
    try:
        own, told = _digest(policy), _beside(policy).read_bytes()
        school = msgspec.json.decode(told, type=_Schooling)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        raise StateError(
            f"{policy}: no trained policy that says what it learnt from; train one with "
            "`pregao replay --learn`, or judge by `--policy follow`"
        ) from None
    last = school.until.get(symbol, 0)
    if school.sha256 != own or last > unseen:
        seen = "is not the file it was" if school.sha256 != own else f"has seen {moment(last)}"
        raise StateError(
            f"{policy}: {seen}, and the hold-out of {symbol} begins after {moment(unseen)}; train "
            "it again with `pregao replay --learn`, or judge by `--policy follow`"
        )


def _beside(policy: Path) -> Path:
    return policy.with_suffix(".json")


def _digest(policy: Path) -> str:
    return hashlib.sha256(policy.read_bytes()).hexdigest()

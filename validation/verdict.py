"""The gate's verdict, as a message, as text and as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Check", "Verdict"]


class Check(msgspec.Struct, frozen=True):
    """One condition of the gate.

    Parameters
    ----------
    name
        One word.
    passed
        Whether it holds.
    text
        The figure and the bound.
    means
        The verdict if it doesn't hold: "no edge", "inconclusive" or "suspicious".
    """

    name: str
    passed: bool
    text: str
    means: str = "no edge"


class Verdict(msgspec.Struct, frozen=True):
    """What the gate decided, and why.

    Parameters
    ----------
    promoted
        Whether real orders may follow.
    headline
        "edge"; "no edge": luck explains it; "inconclusive": too little to tell; "suspicious": too
        good to be true, look for a leak.
    reasons
        The conditions that decided it, each with its figures: those that failed, or all that
        held where promoted.
    figures
        Every figure by name.
    checks
        Every condition.

    Examples
    --------
    >>> print(Verdict(False, "no edge", ("t 0.3",), {"t": 0.3}, (Check("profit", False, "t 0.3"),)))
    no edge
      ✗ profit: t 0.3
    """

    promoted: bool
    headline: str
    reasons: tuple[str, ...]
    figures: dict[str, float]
    checks: tuple[Check, ...] = ()

    def __str__(self) -> str:
        lines = [f"  {'✓' if c.passed else '✗'} {c.name}: {c.text}" for c in self.checks]
        return "\n".join([self.headline, *lines])

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary, for a registry's manifest."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def as_json(self) -> str:
        """JSON, read back by ``msgspec.json.decode(text, type=Verdict)``."""
        return msgspec.json.encode(self).decode()

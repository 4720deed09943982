"""What a trained policy has learnt from, noted beside its file: no hold-out of it may judge it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from envs.tape import DecisionTape
from market.errors import StateError
from policies.lineage import PolicyLineage
from venues.library.words import moment

__all__ = ["Schooling", "home", "note", "own_policy", "policy_of", "refuse_seen", "schooling"]

_FILE = "policy.onnx"


class Schooling(msgspec.Struct, frozen=True):
    """What is noted beside a policy.

    Parameters
    ----------
    sha256
        Of the policy's file.
    until
        The last decision it was trained on, by symbol.
    lineage
        What it was made of; ``None`` where nobody said.
    """

    sha256: str
    until: dict[str, int]
    lineage: PolicyLineage | None = None


def home(folder: Path, symbol: str = "") -> Path:
    """Return where a floor's policy of a symbol is trained, or that of all of them."""
    return folder / "policy" / symbol if symbol else folder / "policy"


def policy_of(folder: Path, symbol: str) -> Path:
    """Return the trained policy that a symbol is judged with: its own, else that of all."""
    own = home(folder, symbol) / _FILE
    return own if own.is_file() else home(folder) / _FILE


def own_policy(folder: Path, symbol: str, version: str, unseen: int) -> Path | None:
    """Return a symbol's own policy, if it may trade here; ``None``: the one of all does.

    It may if `pregao policy train` made it with this very ensemble, and it has seen nothing of the
    hold-out: with another ensemble it would be run in another world than it was trained in.

    Parameters
    ----------
    folder
        The floor's.
    version
        Of the ensemble that will tell it the odds.
    unseen
        Venue time behind which the hold-out lies.
    """
    policy = home(folder, symbol) / _FILE
    try:
        told = schooling(policy)
    except StateError:
        return None
    made_with = "" if told.lineage is None else told.lineage.ensembles.get(symbol, "")
    seen = told.until.get(symbol, unseen + 1)
    return policy if made_with == version and seen <= unseen else None


def note(policy: Path, tapes: Iterable[DecisionTape], lineage: PolicyLineage | None = None) -> None:
    """Write down what a policy was trained on."""
    until = {one.instrument.symbol: int(one.times[-1]) for one in tapes}
    scratch = policy.with_suffix(".note")
    scratch.write_bytes(msgspec.json.encode(Schooling(_digest(policy), until, lineage)))
    scratch.replace(_beside(policy))


def schooling(policy: Path) -> Schooling:
    """Read what a policy was trained on.

    Raises
    ------
    StateError
        It isn't there, doesn't say, or isn't the file that was trained.
    """
    try:
        own, told = _digest(policy), _beside(policy).read_bytes()
        found = msgspec.json.decode(told, type=Schooling)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        raise StateError(
            f"{policy}: no trained policy that says what it learnt from; train one with "
            "`pregao policy train`, or judge by `--policy follow`"
        ) from None
    if found.sha256 != own:
        raise StateError(
            f"{policy}: is not the file it was when it was trained; train it again with "
            "`pregao policy train`, or judge by `--policy follow`"
        )
    return found


def refuse_seen(policy: Path, symbol: str, unseen: int) -> None:
    """Raise if a policy was trained on what lies behind ``unseen``, or nobody can know.

    Raises
    ------
    StateError
        There is no trained policy, it doesn't say what it learnt from, or it has seen the hold-out.
    """
    last = schooling(policy).until.get(symbol, 0)
    if last > unseen:
        raise StateError(
            f"{policy}: has seen {moment(last)}, and the hold-out of {symbol} begins after "
            f"{moment(unseen)}; train it again with `pregao policy train`, or judge by "
            "`--policy follow`"
        )


def _beside(policy: Path) -> Path:
    return policy.with_suffix(".json")


def _digest(policy: Path) -> str:
    return hashlib.sha256(policy.read_bytes()).hexdigest()

"""The desks a floor has learnt, written down: so that a backtest trades with the same parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from actors.config import FloorConfig
from actors.learning import describe
from market.errors import StateError
from trading.desk import DeskSpec

__all__ = ["load", "save"]


class _Desk(msgspec.Struct, frozen=True):
    """What can't be had from the configuration."""

    model: str
    policy: str
    warm_from: int
    verdict: str
    reasons: tuple[str, ...]


class _Desks(msgspec.Struct, frozen=True):
    """``learnt_from`` stands for the settings and recordings that the desks were learnt from."""

    learnt_from: str
    desks: dict[str, _Desk]


def save(config: FloorConfig, files: Mapping[str, Path], specs: list[DeskSpec]) -> None:
    """Write the desks down, whole or not at all."""
    desks = {
        one.symbol: _Desk(
            model=str(one.model),
            policy=str(one.trained_policy),
            warm_from=one.warm_from,
            verdict=one.verdict,
            reasons=one.verdict_reasons,
        )
        for one in specs
    }
    draft = config.folder / "desks.draft"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(_Desks(_mark(config, files), desks))))
    draft.replace(config.folder / "desks.json")


def load(config: FloorConfig, files: Mapping[str, Path]) -> list[DeskSpec]:
    """Read the desks of these recordings.

    Raises
    ------
    StateError
        There are none, or they were learnt from other settings or recordings.
    """
    path = config.folder / "desks.json"
    try:
        known = msgspec.json.decode(path.read_bytes(), type=_Desks)
    except FileNotFoundError:
        raise StateError(f"{path}: nothing learnt yet; run `pregao replay` first") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"{path}: can't be read ({error}); run `pregao replay --learn`") from None
    if known.learnt_from != _mark(config, files):
        raise StateError(
            f"{path}: learnt from other settings or recordings; run `pregao replay --learn`"
        )
    return [
        replace(
            describe(config, symbol, files[symbol], Path(one.model), Path(one.policy)),
            warm_from=one.warm_from,
            verdict=one.verdict,
            verdict_reasons=one.reasons,
        )
        for symbol, one in known.desks.items()
    ]


def _mark(config: FloorConfig, files: Mapping[str, Path]) -> str:
    """Stand for settings and recordings; a recording by its files' names and sizes."""
    total = hashlib.sha256(config.model_dump_json().encode())
    for symbol, path in sorted(files.items()):
        # A tick store is a folder, whose own size says nothing.
        for part in sorted(path.rglob("*.parquet")) if path.is_dir() else [path]:
            total.update(f"{symbol} {part.name} {part.stat().st_size}".encode())
    return total.hexdigest()[:16]

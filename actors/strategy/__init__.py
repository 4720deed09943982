"""Strategies of other systems, in JSON with comments: read, translated, and told about.

``pregao train configs/btcusdt_5m.jsonc --data …`` takes one as it would a floor's YAML file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from actors.config import FloorConfig
from actors.strategy.config import StrategyConfig
from actors.strategy.translation import Translation, translate
from market.config import load, mapping
from market.store import TickStore

__all__ = ["StrategyConfig", "Translation", "read", "translate"]

FloorT = TypeVar("FloorT", bound=FloorConfig)

_OURS = frozenset({"symbols"})
_THEIRS = frozenset({"algorithms", "train_features", "symbol"})


def read(
    path: Path, kind: type[FloorT], data: Path | str | None = None
) -> tuple[FloorT, tuple[str, ...]]:
    """Read a floor's configuration, or a strategy as one.

    Parameters
    ----------
    path
        YAML or JSON; a strategy is known by its keys.
    kind
        The floor's config class.
    data
        Folder of recordings, where there is one: whether it has an order book says which columns
        can be had. Nothing else is looked for, whatever patterns and folders the file names.

    Returns
    -------
    FloorT
        The configuration.
    tuple[str, ...]
        What was translated, left out or assumed; nothing of a floor's own file.

    Raises
    ------
    ConfigError
        Something in it is wrong; see :func:`market.config.load`.
    """
    keys = mapping(path).keys()
    if keys & _OURS or not keys & _THEIRS:
        return load(path, kind), ()
    strategy = load(path, StrategyConfig)
    made = translate(strategy, path, _beside(data, strategy.symbol))
    fields = {name: getattr(made.floor, name) for name in FloorConfig.model_fields}
    return kind(**fields), made.notes


def _beside(data: Path | str | None, symbol: str) -> frozenset[str]:
    """Return what a tick store holds of a symbol beside bars; other recordings hold nothing."""
    if data is None or (isinstance(data, Path) and not data.is_dir()):
        return frozenset()
    return frozenset(TickStore(data).kinds(symbol)) & {"trades", "book"}

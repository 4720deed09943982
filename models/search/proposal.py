"""What a trial tries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from pydantic import ValidationError

from features.selection import SelectionConfig
from market.config import reason_of
from market.errors import ConfigError
from models.combination.config import StackConfig, VoteConfig
from models.config import EnsembleConfig
from models.search.config import SearchConfig

__all__ = ["Proposal"]


class Proposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Members with their settings, and places in the search's lists.

    Parameters
    ----------
    members
        Settings of each, its ``kind`` among them.
    combination
        ``stack``, as the floor has it; or an equal ``vote``.
    columns, selection, labels
        Which of :class:`~.config.SearchConfig`'s; 0 where there is no choice.
    """

    members: tuple[dict[str, Any], ...]
    combination: Literal["stack", "vote"] = "stack"
    columns: int = 0
    selection: int = 0
    labels: int = 0

    @property
    def kind(self) -> str:
        """The family; of several, how they are put together."""
        kinds = [str(one["kind"]) for one in self.members]
        return kinds[0] if len(kinds) == 1 else f"{self.combination} of {', '.join(kinds)}"

    def ensemble(self, base: EnsembleConfig, search: SearchConfig) -> EnsembleConfig:
        """Return the settings of the ensemble: the floor's, but for what is tried.

        Raises
        ------
        ConfigError
            Settings that don't go together.
        """
        stack = base.combination if isinstance(base.combination, StackConfig) else StackConfig()
        changed: dict[str, Any] = {
            "members": self.members,
            "combination": VoteConfig() if self.combination == "vote" else stack,
        }
        if search.selection:
            many = search.selection[self.selection]
            how = base.selection or SelectionConfig()
            changed["selection"] = how.model_copy(update={"columns": many}) if many else None
        given = {name: getattr(base, name) for name in EnsembleConfig.model_fields}
        try:
            return EnsembleConfig.model_validate(given | changed)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(str(part) for part in fault["loc"][3:])
            raise ConfigError(reason_of(fault), key=where) from None

    def told(self, search: SearchConfig) -> str:
        """Say what it is in one line.

        Examples
        --------
        >>> one = Proposal(({"kind": "lgbm", "leaves": 7},), selection=1)
        >>> one.told(SearchConfig(selection=[10, 20]))
        'lgbm leaves=7; 20 columns'
        """
        parts = [self.kind + _settings(self.members[0])] if len(self.members) == 1 else [self.kind]
        if len(search.columns) > 1:
            parts.append(", ".join(search.columns[self.columns]))
        if len(search.selection) > 1:
            parts.append(f"{search.selection[self.selection] or 'all'} columns")
        if len(search.labels) > 1:
            own = search.labels[self.labels].model_dump(exclude_defaults=True, mode="json")
            parts.append("labels" + _settings(own or {"horizon": 30}))
        return "; ".join(parts)


def _settings(given: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in given.items() if name not in ("kind", "name")}
    return "".join(f" {name}={_short(value)}" for name, value in shown.items())


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "x".join(str(one) for one in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)

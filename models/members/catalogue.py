"""Which kinds of members there are, and where each is implemented."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from models.member import Member
from models.members.config import LgbmConfig, MemberConfig
from models.nets.config import GruConfig

__all__ = ["KINDS", "AnyMember", "make"]

KINDS = {
    "lgbm": "models.members.lgbm:Lgbm",
    "gru": "models.nets.gru:Gru",
}
"""The class of each kind. It is imported when one is made: training libraries are heavy, and who
only reads a configuration needs none."""

AnyMember = LgbmConfig | GruConfig
"""Settings of any member, told apart by ``kind``."""


def make(configs: Sequence[MemberConfig]) -> tuple[Member, ...]:
    """Make members of their settings.

    Examples
    --------
    >>> [member.name for member in make([LgbmConfig(), LgbmConfig(name="lags", window=4)])]
    ['lgbm', 'lags']
    """
    members = []
    for config in configs:
        module, name = KINDS[config.kind].split(":")
        members.append(getattr(import_module(module), name)(config))
    return tuple(members)

"""Which kinds of members there are, and where each is implemented."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from models.member import Member
from models.members.config import (
    ForestConfig,
    LgbmConfig,
    LogisticConfig,
    MemberConfig,
    SvmConfig,
    TechnicalConfig,
    XgboostConfig,
)
from models.nets.config import CnnConfig, GruConfig, LstmConfig, MlpConfig, TransformerConfig

__all__ = ["KINDS", "AnyMember", "make"]

KINDS = {
    "cnn": "models.nets.cnn:Cnn",
    "forest": "models.members.forest:Forest",
    "gru": "models.nets.gru:Gru",
    "lgbm": "models.members.lgbm:Lgbm",
    "logistic": "models.members.logistic:Logistic",
    "lstm": "models.nets.lstm:Lstm",
    "mlp": "models.nets.mlp:Mlp",
    "svm": "models.members.svm:Svm",
    "technical": "models.members.technical:Technical",
    "transformer": "models.nets.transformer:Transformer",
    "xgboost": "models.members.xgboost:Xgboost",
}
"""The class of each kind. It is imported when one is made: training libraries are heavy, and who
only reads a configuration needs none."""

AnyMember = (
    CnnConfig
    | ForestConfig
    | GruConfig
    | LgbmConfig
    | LogisticConfig
    | LstmConfig
    | MlpConfig
    | SvmConfig
    | TechnicalConfig
    | TransformerConfig
    | XgboostConfig
)
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

"""Algorithms of other systems' strategies, and the members they are here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from market.config import Config, reason_of
from market.shown import shown
from models.members.catalogue import KINDS, AnyMember

__all__ = ["ALIASES", "SEARCHED", "AlgorithmConfig"]

ALIASES = {
    **{kind: kind for kind in KINDS},
    **dict.fromkeys(("sklearn_logreg", "logreg", "lc"), "logistic"),
    **dict.fromkeys(("gb", "lightgbm"), "lgbm"),
    **dict.fromkeys(("rf", "random_forest", "sklearn_rf"), "forest"),
    "xgb": "xgboost",
    **dict.fromkeys(("svc", "sklearn_svc"), "svm"),
    "nn": "mlp",
}
"""What an algorithm may be called, and the kind of member that it is."""

SEARCHED = frozenset({"vertex_automl", "automl"})
"""Algorithms that are a search for a model, not a model."""


@dataclass(frozen=True)
class _Settings:
    """What a kind's settings are called elsewhere, and which of theirs it has none of."""

    names: dict[str, str] = field(default_factory=dict)
    none: dict[str, str] = field(default_factory=dict)


_NONE = {
    **dict.fromkeys(
        ("n_jobs", "nthread", "num_threads"), "members are fitted in tasks of their own"
    ),
    **dict.fromkeys(("random_state", "seed"), "the floor has one seed for everything"),
    **dict.fromkeys(("verbose", "verbosity"), "progress is shown as it is"),
    **dict.fromkeys(
        ("objective", "metric", "loss", "eval_metric", "criterion"),
        "the loss is the log-loss of three classes",
    ),
    **dict.fromkeys(
        ("class_weight", "is_unbalance", "scale_pos_weight"), "classes weigh as they are"
    ),
}
_TREES = {"reg_lambda": "l2", "lambda_l2": "l2", "early_stopping_rounds": "patience",
          "n_estimators": "trees", "num_boost_round": "trees"}  # fmt: skip
_L1 = dict.fromkeys(("reg_alpha", "lambda_l1", "alpha"), "there is no L1 penalty")
_NET = {
    "batch_size": "batch",
    "bs": "batch",
    "n_epochs": "epochs",
    "lr": "learning_rate",
    "weight_decay": "decay",
    **dict.fromkeys(("sequence_length", "seq_len", "lookback", "lags"), "window"),
    **dict.fromkeys(("hidden_size", "units", "hidden_dim"), "hidden"),
}
_SETTINGS = {
    "logistic": _Settings(
        none=dict.fromkeys(
            ("solver", "penalty", "multi_class", "tol"), "it is L-BFGS with an L2 penalty"
        )
    ),
    "lgbm": _Settings(
        {**_TREES, "num_leaves": "leaves", "min_child_samples": "min_leaf",
         "min_data_in_leaf": "min_leaf", "colsample_bytree": "feature_share",
         "feature_fraction": "feature_share"},
        {**_L1, "max_depth": "leaves alone bound a tree", "boosting_type": "it is gbdt"},
    ),
    "xgboost": _Settings(
        {**_TREES, "max_depth": "depth", "eta": "learning_rate", "min_child_weight": "min_leaf",
         "subsample": "row_share", "colsample_bytree": "feature_share"},
        _L1,
    ),
    "forest": _Settings(
        {"n_estimators": "trees", "max_depth": "depth", "min_samples_leaf": "min_leaf",
         "max_samples": "row_share", "max_features": "feature_share"},
        {"bootstrap": "rows are drawn as `row_share` says"},
    ),
    "svm": _Settings(
        none={"probability": "it always tells them", "cache_size": "it needs none",
              "gamma": "it is in other units; its default here, .2 of `scale`, is taken",
              "kernel": "it is a Gaussian one (rbf)",
              "tol": "it is solved to the end"},
    ),
    "technical": _Settings(),
    "mlp": _Settings({**_NET, "layers": "hidden", "hidden_layer_sizes": "hidden"}),
    **dict.fromkeys(("gru", "lstm", "cnn", "transformer"),
                    _Settings({**_NET, "num_layers": "layers", "n_heads": "heads",
                               "num_heads": "heads", "d_model": "hidden"})),
}  # fmt: skip
_PARAMS = {
    "is_scale": "members scale their columns as they need it, by training rows alone",
    "length": "a member learns from all rows of its fold",
    "every_nth_row": "labels that overlap weigh less instead",
    "is_regression": "",
}
_SEARCH = ("budget_hours", "budget_milli_node_hours", "optimization_objective")
_ADAPTER: TypeAdapter[Any] = TypeAdapter(Annotated[AnyMember, Field(discriminator="kind")])


class AlgorithmConfig(Config):
    """One algorithm of a strategy.

    Parameters
    ----------
    name
        What the member is called.
    algo
        Which it is, see :data:`ALIASES`; or a search, see :data:`SEARCHED`.
    params
        intelligent-trading-bot's own: ``is_scale``, ``length``, ``every_nth_row``,
        ``is_regression``.
    train
        Settings, under the names of scikit-learn, LightGBM, XGBoost or ours.

    Examples
    --------
    >>> one = AlgorithmConfig(name="lgbm", algo="gb", train={"num_leaves": 31, "max_depth": 6})
    >>> one.member.leaves
    31
    >>> print(*one.notes, sep="; ")
    train.num_leaves is leaves here; train.max_depth is not used: leaves alone bound a tree
    >>> AlgorithmConfig(name="a", algo="prophet")
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for AlgorithmConfig
      Value error, no algorithm is called 'prophet'; there are ...
    """

    name: Annotated[str, Field(min_length=1)]
    algo: Annotated[str, Field(min_length=1)]
    params: dict[str, Any] = Field(default_factory=dict)
    train: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_known(self) -> AlgorithmConfig:
        if self.algo not in ALIASES and self.algo not in SEARCHED:
            there = ", ".join(sorted({*ALIASES, *SEARCHED}))
            raise ValueError(f"no algorithm is called {self.algo!r}; there are {there}")
        for key in self.params:
            if key not in _PARAMS:
                raise ValueError(f"params.{key}: unknown key; known keys: {', '.join(_PARAMS)}")
        if self.params.get("is_regression"):
            raise ValueError("params.is_regression: must be false; members tell classes apart")
        if self.searched:
            self._search_is_known()
        else:
            _ = self.member
        return self

    @property
    def searched(self) -> bool:
        """Whether it is a search."""
        return self.algo in SEARCHED

    @property
    def kind(self) -> str:
        """Of member; not of a search."""
        return ALIASES[self.algo]

    @property
    def minutes(self) -> float | None:
        """What a search may take, where it says so."""
        hours = self.train.get("budget_hours")
        if hours is None and "budget_milli_node_hours" in self.train:
            hours = self.train["budget_milli_node_hours"] / 1000
        return None if hours is None else 60.0 * hours

    @property
    def member(self) -> AnyMember:
        """The member's settings; raises :class:`ValueError` for those that are wrong."""
        given: dict[str, Any] = {"kind": self.kind, "name": self._called}
        for theirs, value in self.train.items():
            ours = self._ours(theirs)
            if ours is None or value is None or _default(theirs, value):
                continue
            if ours in given:
                raise ValueError(f"train.{theirs}: {ours} is given twice; keep one")
            given[ours] = _shaped(self.kind, ours, value)
        try:
            made: AnyMember = _ADAPTER.validate_python(given)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(str(part) for part in fault["loc"][1:])
            value = "" if not where else f", was {shown(fault['input'], where)}"
            raise ValueError(f"train: {where or self.kind}: {reason_of(fault)}{value}") from None
        return made

    @property
    def notes(self) -> tuple[str, ...]:
        """What is called otherwise here, and what is not used, and why."""
        said = [f"params.{key} is not used: {why}" for key, why in _PARAMS.items()
                if why and key in self.params]  # fmt: skip
        if self.searched:
            return tuple(said)
        if self._called != self.name:
            said.insert(0, f"the member is called {self._called}")
        for theirs, value in self.train.items():
            ours = self._ours(theirs)
            if ours is None:
                said.append(f"train.{theirs} is not used: {self._nones[theirs]}")
            elif value is None or _default(theirs, value):
                default = getattr(self.member, ours)
                said.append(f"train.{theirs} is not used: {ours}'s default, {default}, is taken")
            elif ours != theirs:
                said.append(f"train.{theirs} is {ours} here")
        return tuple(said)

    @property
    def _called(self) -> str:
        return "".join(c if c.isascii() and c.isalnum() else "_" for c in self.name.lower())

    @property
    def _nones(self) -> dict[str, str]:
        return {**_NONE, **_SETTINGS[self.kind].none}

    def _ours(self, theirs: str) -> str | None:
        """Return what a setting is called here, or ``None`` if there is none."""
        settings = _SETTINGS[self.kind]
        own = _fields(self.kind)
        if theirs in self._nones:
            return None
        if (ours := settings.names.get(theirs)) in own:
            return ours
        if theirs in own:
            return theirs
        there = sorted({*own, *(n for n, o in settings.names.items() if o in own), *self._nones})
        raise ValueError(f"train.{theirs}: no setting of {self.algo}; there are {', '.join(there)}")

    def _search_is_known(self) -> None:
        for key in self.train:
            if key not in _SEARCH:
                raise ValueError(f"train.{key}: unknown key; known keys: {', '.join(_SEARCH)}")
        for key in _SEARCH[:2]:
            value = self.train.get(key, 1)
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise ValueError(f"train.{key}: must be a number above 0, was {shown(value, key)}")


_KIND_OF: dict[str, Callable[..., Any]] = {
    one.model_fields["kind"].default: one for one in AnyMember.__args__
}


def _fields(kind: str) -> frozenset[str]:
    fields: dict[str, Any] = _KIND_OF[kind].model_fields  # type: ignore[attr-defined]
    return frozenset(fields) - {"kind", "name"}


def _default(theirs: str, value: Any) -> bool:
    """Say whether a value is a word of scikit-learn's for which there is a default here."""
    return (theirs == "max_features" and isinstance(value, str)) or (
        theirs == "max_depth" and value == -1
    )


def _shaped(kind: str, ours: str, value: Any) -> Any:
    """Return one number for a list of one, or a list for a number, as the setting takes it."""
    several = (kind, ours) == ("mlp", "hidden")
    if several:
        return value if isinstance(value, list) else [value]
    return value[0] if isinstance(value, list) and len(value) == 1 else value

"""The technical setup: four published rules vote, and what followed such votes is what it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import helper

from market.errors import ConfigError
from models.member import Floats, Ints, Rows
from models.members.config import TechnicalConfig
from models.members.graph import write

__all__ = ["FittedTechnical", "Technical"]

RULES = 4


@dataclass(frozen=True)
class Technical:
    """EMA cross, RSI, Bollinger bands and breakout, each for (+1), against (-1) or silent (0).

    ============ ==================================== =======================================
    rule         for, against                         source
    ============ ==================================== =======================================
    EMA cross    fast EMA above, below the slow one   Appel, as the percentage oscillator > 0
    RSI          at most 30, at least 70              Wilder (1978)
    Bollinger    at or beyond the lower, upper band   Bollinger (2001), as a return to the mean
    breakout     highest, lowest of the last n closes Donchian
    ============ ==================================== =======================================

    Their sum s, -4 to 4, is a score, no probability: of each score it says
    P(k | s) = (Σ weight[score = s, label = k] + prior · base_k) / (Σ weight[score = s] + prior),
    so that a setup which was never followed by anything unusual says the class frequencies, as does
    a score that never came. Nothing is drawn and nothing stops early: effort is 0.

    Two rules follow the move and two go against it; at a new high a breakout speaks for, the upper
    band against. Which of them is heeded, training decides. Where a price stands still RSI is 0, as
    TA-Lib has it, and speaks for.

    Parameters
    ----------
    config
        Its settings.
    """

    config: TechnicalConfig

    @property
    def name(self) -> str:
        """Of the member."""
        return self.config.name

    @property
    def window(self) -> int:
        """Decision rows it looks at: the last."""
        return self.config.window

    @property
    def columns(self) -> tuple[str, ...]:
        """The four that it must be given, in this order."""
        one = self.config
        return (
            f"ppo_{one.fast}_{one.slow}_9",
            f"rsi_{one.rsi}",
            f"bollinger_place_{one.bollinger}",
            f"channel_place_{one.channel}",
        )

    def fit(
        self,
        rows: Rows,
        labels: Ints,
        train: Ints,
        stop: Ints,
        seed: int,
        effort: int | None = None,
        weights: Floats | None = None,
    ) -> FittedTechnical:
        """Fit; see :meth:`models.member.Member.fit`.

        Raises
        ------
        ConfigError
            The rows hold other than its four columns.
        """
        if rows.shape[1] != RULES:
            raise ConfigError(
                f"{self.name} takes the columns {', '.join(self.columns)}, "
                f"was given {rows.shape[1]} columns"
            )
        one = self.config
        blank = FittedTechnical(
            low=np.array([0.0, one.oversold, -one.band, -1.0], np.float32),
            high=np.array([0.0, one.overbought, one.band, 1.0], np.float32),
            sign=np.array([1.0, -1.0, -1.0, 1.0], np.float32),
            table=np.empty((2 * RULES + 1, 3)),
        )
        own = np.ones(len(train)) if weights is None else weights[train]
        base = np.bincount(labels[train], own, minlength=3) + 1.0
        base /= base.sum()
        seen = np.zeros(blank.table.shape)
        np.add.at(seen, (blank.score(rows[train]) + RULES, labels[train]), own)
        blank.table = (seen + one.prior * base) / (seen.sum(axis=1, keepdims=True) + one.prior)
        return blank


@dataclass
class FittedTechnical:
    """What followed each score; see :class:`models.member.Fitted`.

    Parameters
    ----------
    low, high, sign
        ``float32[4]``: a rule says its sign from ``high`` up, the opposite from ``low`` down.
    table
        ``float64[9, 3]``: probabilities of each score from -4 on.
    """

    low: Rows
    high: Rows
    sign: Rows
    table: Floats
    effort: int = 0

    def score(self, rows: Rows) -> Ints:
        """Let the rules vote on ``float32[n, 4]``: ``int64[n]``, -4 to 4."""
        votes = (rows >= self.high).astype(np.float32) - (rows <= self.low).astype(np.float32)
        score: Ints = (votes @ self.sign).astype(np.int64)
        return score

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the rows ``ends``."""
        proba: Floats = self.table[self.score(rows[ends]) + RULES]
        return proba

    def onnx(self) -> bytes:
        """Export: compare, add up, look up."""
        nodes = [
            helper.make_node("Flatten", ["window"], ["row"], axis=1),
            helper.make_node("GreaterOrEqual", ["row", "high"], ["above"]),
            helper.make_node("LessOrEqual", ["row", "low"], ["below"]),
            helper.make_node("Cast", ["above"], ["rose"], to=1),
            helper.make_node("Cast", ["below"], ["fell"], to=1),
            helper.make_node("Sub", ["rose", "fell"], ["votes"]),
            helper.make_node("MatMul", ["votes", "sign"], ["score"]),
            helper.make_node("Add", ["score", "most"], ["place"]),
            helper.make_node("Cast", ["place"], ["which"], to=7),
            helper.make_node("Gather", ["table", "which"], ["probabilities"], axis=0),
        ]
        constants = {
            "high": self.high,
            "low": self.low,
            "sign": self.sign,
            "most": np.array(RULES, np.float32),
            "table": self.table.astype(np.float32),
        }
        return write(nodes, constants, 1, RULES)

"""Settings of the members that are networks; torch is not needed to read them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.members.config import MemberConfig, Rate, Window

__all__ = ["GruConfig", "NetConfig"]


class NetConfig(MemberConfig):
    """How a network is trained.

    Parameters
    ----------
    epochs
        Most passes over the data; early stopping finds fewer.
    patience
        Passes without a better loss before it stops.
    learning_rate, decay, batch
        Of AdamW: its largest step, weight decay, windows per step.
    """

    epochs: Annotated[int, Field(ge=1, le=1000)] = 12
    patience: Annotated[int, Field(ge=1)] = 3
    learning_rate: Rate = 2e-3
    decay: Annotated[float, Field(ge=0.0)] = 1e-2
    batch: Annotated[int, Field(ge=1)] = 256


class GruConfig(NetConfig):
    """A small recurrent network over a window of decision rows.

    Parameters
    ----------
    window
        Decision rows it looks at.
    hidden
        Units.
    """

    kind: Literal["gru"] = "gru"
    window: Window = 16
    hidden: Annotated[int, Field(ge=1, le=1024)] = 16

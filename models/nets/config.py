"""Settings of the members that are networks; torch is not needed to read them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.members.config import MemberConfig, Rate, Window

__all__ = [
    "CnnConfig",
    "GruConfig",
    "LstmConfig",
    "MlpConfig",
    "NetConfig",
    "TransformerConfig",
]

Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]
Layers = Annotated[int, Field(ge=1, le=12)]
Width = Annotated[int, Field(ge=1, le=1024)]


class NetConfig(MemberConfig):
    """How a network is trained.

    Parameters
    ----------
    epochs
        Most passes over the data; early stopping finds fewer.
    patience
        Passes without a better loss before it stops. While the rate still rises they don't count.
    learning_rate, decay, batch
        Of AdamW: its largest step, weight decay, windows per step.
    schedule
        Of the learning rate: ``onecycle`` (rises for .3 of the steps, then falls to nothing),
        ``cosine`` (falls to a twentieth) or ``constant``.
    clip
        Largest norm of a step's gradient.
    focal
        γ of the focal loss; 0 is cross-entropy. Probabilities are put right afterwards, see
        :mod:`models.nets.losses`.
    dropout
        Share of values left out while training, between layers and before the head.
    most
        Most windows per epoch. Of more, each epoch draws one from each of ``most`` equal stretches
        of the training time: neighbouring windows say nearly the same.
    device
        ``auto`` takes a GPU if there is one. On ``cpu`` one thread is used, and the same seed gives
        the same bytes. On ``cuda`` the same seed gives the same first weights and order of windows,
        but sums may be rounded otherwise from run to run.
    precision
        Of the products: ``auto`` is float16 with scaled gradients on a GPU, float32 on a CPU.
        Weights, loss and what is exported are float32 always.
    """

    epochs: Annotated[int, Field(ge=1, le=1000)] = 12
    patience: Annotated[int, Field(ge=1)] = 3
    learning_rate: Rate = 2e-3
    decay: Annotated[float, Field(ge=0.0)] = 1e-2
    batch: Annotated[int, Field(ge=1)] = 256
    schedule: Literal["onecycle", "cosine", "constant"] = "onecycle"
    clip: Annotated[float, Field(gt=0.0)] = 1.0
    focal: Annotated[float, Field(ge=0.0, le=5.0)] = 0.0
    dropout: Dropout = 0.1
    most: Annotated[int, Field(ge=1)] = 65_536
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "float16", "bfloat16"] = "auto"


class MlpConfig(NetConfig):
    """Dense layers over a window laid flat.

    Parameters
    ----------
    window
        Decision rows it looks at.
    hidden
        Units of each layer.
    """

    kind: Literal["mlp"] = "mlp"
    window: Window = 4
    hidden: Annotated[tuple[Width, ...], Field(min_length=1, max_length=12)] = (32, 16)


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
    hidden: Width = 16


class LstmConfig(NetConfig):
    """LSTM layers, then attention of the last step over all steps.

    Parameters
    ----------
    window
        Decision rows it looks at.
    hidden, layers
        Units of each layer, and how many layers.
    heads
        Of the attention; each looks with ``hidden / heads`` values.
    classifier
        Units of dense layers between attention and head.

    Examples
    --------
    The size that the scalping roadmap has in mind:

    >>> LstmConfig(hidden=128, layers=3, heads=4, classifier=(64, 32), dropout=0.3).heads
    4
    """

    kind: Literal["lstm"] = "lstm"
    window: Window = 16
    hidden: Width = 24
    layers: Layers = 1
    heads: Annotated[int, Field(ge=1)] = 2
    classifier: Annotated[tuple[Width, ...], Field(max_length=12)] = ()

    @model_validator(mode="after")
    def _heads_share_the_units(self) -> LstmConfig:
        _share(self.hidden, self.heads)
        return self


class CnnConfig(NetConfig):
    """Causal convolutions over time, each block looking twice as far apart as the one before.

    Parameters
    ----------
    window
        Decision rows it looks at.
    channels
        Of each block; the microstructure network of the scalping roadmap has (64, 128, 256).
    kernel
        Rows that one convolution looks at.
    """

    kind: Literal["cnn"] = "cnn"
    window: Window = 16
    channels: Annotated[tuple[Width, ...], Field(min_length=1, max_length=9)] = (24, 24, 24)
    kernel: Annotated[int, Field(ge=1, le=64)] = 3


class TransformerConfig(NetConfig):
    """A small encoder that normalises before each part.

    Parameters
    ----------
    window
        Decision rows it looks at.
    hidden, layers
        Values per row inside, and how many blocks.
    heads
        Of the attention; each looks with ``hidden / heads`` values.
    feedforward
        Units of the dense layer inside a block.
    positions
        ``learned``, or ``sinusoidal`` as first published.
    readout
        Where the answer is read: at the ``last`` row, or at a learned row of its own, ``cls``.
    """

    kind: Literal["transformer"] = "transformer"
    window: Window = 16
    hidden: Width = 24
    layers: Layers = 2
    heads: Annotated[int, Field(ge=1)] = 2
    feedforward: Width = 48
    positions: Literal["learned", "sinusoidal"] = "learned"
    readout: Literal["last", "cls"] = "last"

    @model_validator(mode="after")
    def _heads_share_the_units(self) -> TransformerConfig:
        _share(self.hidden, self.heads)
        if self.positions == "sinusoidal" and self.hidden % 2:
            raise ValueError(f"hidden must be even for sinusoidal positions, was {self.hidden}")
        return self


def _share(hidden: int, heads: int) -> None:
    if hidden % heads:
        raise ValueError(f"hidden must be a multiple of heads ({heads}), was {hidden}")

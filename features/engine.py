"""The streaming feature engine: one event in, all columns out, no look-back."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from features import kernel, path
from features.config import FeatureConfig
from market.errors import DataError, SchemaMismatch
from market.events import Bar, Event, Tick

__all__ = ["FeatureEngine"]

NAN = float("nan")


class _Snapshot(msgspec.Struct, frozen=True):
    schema: str
    state: bytes


class FeatureEngine:
    """All features of one symbol, updated event by event in constant time and memory.

    The compiled step is the one :func:`features.batch.compute` loops over, so a live column equals
    the trained one bit for bit. A :class:`~market.events.FeedGap` forgets everything: values are
    ``nan`` again until ``warmup`` events have been seen.

    Parameters
    ----------
    config
        Spans and half-lives.

    Attributes
    ----------
    names : tuple[str, ...]
        The columns, in order.
    schema : str
        Sixteen hex digits that stand for columns and configuration.

    Examples
    --------
    >>> engine = FeatureEngine(FeatureConfig())
    >>> engine.update(Tick("R_75", 0, 100.0))
    >>> engine.warm, engine.names[0]
    (False, 'volatility_16')
    """

    def __init__(self, config: FeatureConfig) -> None:
        layout = kernel.Layout.of(config)
        self.names = layout.names
        self.schema = layout.schema
        self._params, self._at, self._warmup = layout.params, layout.at, layout.warmup
        self._state = np.zeros(layout.state)
        self._count = 1 + kernel.VOLATILITY + path.COUNT
        self._values = self._state[-len(layout.names) :]
        self._values[:] = np.nan
        self._view = self._values.view()
        self._view.flags.writeable = False

    def update(self, event: Event) -> None:
        """Take one event.

        Raises
        ------
        DataError
            A price that is not positive: it would poison every average. The state is unchanged.
        """
        if type(event) is Tick:
            price = event.price
            if not 0.0 < price < np.inf:
                raise _unusable(event)
            self._step(event.time, price, price, price, NAN)
        elif type(event) is Bar:
            if not 0.0 < event.low <= event.close <= event.high < np.inf:
                raise _unusable(event)
            self._step(event.time, event.high, event.low, event.close, event.volume)
        else:
            self._state[:] = 0.0
            self._values[:] = np.nan

    def _step(self, time: int, high: float, low: float, close: float, volume: float) -> None:
        kernel.step(
            self._state,
            self._params,
            self._at,
            self._warmup,
            time,
            high,
            low,
            close,
            volume,
        )

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """``float64[F]``: the columns after the last event, a read-only view; nan until warm."""
        return self._view

    @property
    def warm(self) -> bool:
        """Whether enough events were seen since the start or the last gap."""
        return bool(self._state[self._count] >= self._warmup)

    @property
    def volatility(self) -> float:
        """Volatility of log returns per event; nan until warm."""
        return float(self._state[kernel.VOLATILITY]) if self.warm else NAN

    def snapshot(self) -> bytes:
        """Everything the engine remembers."""
        return msgspec.msgpack.encode(_Snapshot(self.schema, self._state.tobytes()))

    def restore(self, data: bytes) -> None:
        """Go on where :meth:`snapshot` was taken, bit for bit.

        Raises
        ------
        SchemaMismatch
            It was taken with other columns or another configuration, or is damaged.
        """
        try:
            snapshot = msgspec.msgpack.decode(data, type=_Snapshot)
        except msgspec.DecodeError as error:
            raise SchemaMismatch(f"not a feature snapshot ({error}); start from history") from error
        if snapshot.schema != self.schema or len(snapshot.state) != self._state.nbytes:
            raise SchemaMismatch(
                f"the snapshot has features {snapshot.schema} ({len(snapshot.state)} bytes), this "
                f"engine has {self.schema} ({self._state.nbytes} bytes); use the configuration it "
                "was taken with, or start from history"
            )
        self._state[:] = np.frombuffer(snapshot.state)


def _unusable(event: Tick | Bar) -> DataError:
    return DataError(f"prices must be positive, finite and low <= close <= high, was {event}")

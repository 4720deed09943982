"""A feature that a policy sees, and the numbers that bring it to the size of the others."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from market.config import Config
from market.errors import DataError

__all__ = ["FeatureUse"]

_NORMAL = 1.349
"""Middle half of a standard normal."""


class FeatureUse(Config):
    """A feature column that a policy sees, as ``(x - centre) / scale``; 0 where it is unknown.

    Parameters
    ----------
    name
        Of the column. The name alone, in place of the whole, is one without numbers.
    centre, scale
        What is subtracted from it, and what the rest is divided by. With both left out they are
        fitted on what the policy is trained on (:meth:`envs.spec.PolicySpec.fitted`); one that is
        left out alone is 0, or 1.

    Examples
    --------
    >>> FeatureUse(name="run", scale=2.0).centre, FeatureUse.model_validate("run").scale
    (0.0, None)
    """

    name: Annotated[str, Field(min_length=1)]
    centre: float | None = None
    scale: Annotated[float, Field(gt=0.0)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, given: object) -> object:
        if isinstance(given, str):
            return {"name": given}
        if isinstance(given, dict):
            told = {key for key in ("centre", "scale") if given.get(key) is not None}
            if len(told) == 1:
                return {"centre": 0.0, "scale": 1.0} | {
                    key: one for key, one in given.items() if one is not None
                }
        return given

    @property
    def numbers(self) -> tuple[float, float] | None:
        """Centre and scale; ``None`` where they wait for the training."""
        return None if self.centre is None or self.scale is None else (self.centre, self.scale)

    def fitted(self, values: npt.NDArray[np.float64]) -> FeatureUse:
        """Return it with numbers; with those it has if it has them.

        The centre is the median, the scale the span of the middle half over 1.349: a normal
        column's standard deviation, and no outlier moves it. Where that span is 0 it is the
        standard deviation, and for a constant column 1. Values that aren't finite don't count.

        Parameters
        ----------
        values
            ``float64[m]``: the column, on what a policy is trained on.

        Raises
        ------
        DataError
            Not one value is finite.
        """
        if self.numbers is not None:
            return self
        known = values[np.isfinite(values)]
        if not len(known):
            raise DataError(
                f"{self.name}: not one value is known of what is trained on; leave it out, or give "
                "centre and scale"
            )
        low, centre, high = np.quantile(known, (0.25, 0.5, 0.75)).tolist()
        least = 1e-12 * abs(centre)  # what rounding leaves of a constant
        spans = ((high - low) / _NORMAL, float(known.std()))
        scale = next((one for one in spans if one > least), 1.0)
        return FeatureUse(name=self.name, centre=centre, scale=scale)

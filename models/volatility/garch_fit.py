"""Fitting the GARCH family, by arch."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.volatility.config import GarchConfig
from models.volatility.numbers import GarchNumbers
from models.volatility.port import checked

__all__ = ["fit_garch"]

Floats = npt.NDArray[np.float64]

_LEAST = 100
_FORMS = {"garch": ("GARCH", 0), "gjr": ("GARCH", 1), "egarch": ("EGARCH", 1)}


def fit_garch(config: GarchConfig, returns: Floats) -> GarchNumbers:
    """Fit by maximum likelihood.

    The recursion starts from the mean square of the residuals, the convention of Fiorentini,
    Calzolari and Panattoni (1996); arch's own would weigh the first 75 returns, which moves ``ω``
    by some per cent. Returns are brought to standard deviation 1 first, and the numbers back.

    Raises
    ------
    DataError
        Fewer than 100 returns, all alike, or not finite; or the likelihood has no maximum that was
        found.
    """
    changes = checked(returns, _LEAST, config.name)
    from arch import arch_model

    scale = float(changes.std())
    y = changes / scale
    about = float(y.mean()) if config.mean == "constant" else 0.0
    start = float(np.mean((y - about) ** 2))
    process, asymmetry = _FORMS[config.form]
    model = arch_model(
        y,
        mean="Constant" if config.mean == "constant" else "Zero",
        vol=process,  # type: ignore[arg-type]
        p=1,
        o=asymmetry,
        q=1,
        dist="t" if config.innovations == "t" else "normal",
        rescale=False,
    )
    with warnings.catch_warnings():
        # the search may step where the likelihood overflows; where it ends is what counts
        warnings.simplefilter("ignore", RuntimeWarning)
        found = model.fit(disp="off", show_warning=False, backcast=start)
    values = dict(zip(found.params.index, found.params.to_numpy().tolist(), strict=True))
    likelihood = float(found.loglikelihood)
    if found.convergence_flag != 0 or not all(map(math.isfinite, (*values.values(), likelihood))):
        raise DataError(
            f"{config.name} could not be fitted to {len(changes)} returns "
            f"(standard deviation {scale:g}); give it more of them, or take an ewma"
        )
    beta, omega = values["beta[1]"], values["omega"]
    if config.form == "egarch":
        omega += (1.0 - beta) * 2.0 * math.log(scale)
    else:
        omega *= scale**2
    return GarchNumbers(
        form=config.form,
        mean=values.get("mu", 0.0) * scale,
        omega=omega,
        alpha=values["alpha[1]"],
        gamma=values.get("gamma[1]", 0.0),
        beta=beta,
        freedom=values.get("nu"),
        start=start * scale**2,
        log_likelihood=likelihood - len(changes) * math.log(scale),
    )

"""Requests shown on the API page, ready to send."""

from __future__ import annotations

from typing import Any

__all__ = ["PREDICT"]

PREDICT: dict[str, Any] = {
    "live": {
        "summary": "What the symbol actor predicted last",
        "value": {"symbol": "R_75"},
    },
    "features": {
        "summary": "A prediction on feature rows of your own, oldest first",
        "description": "As many rows, of as many columns, as the ensemble was fitted on.",
        "value": {"symbol": "R_75", "features": [[0.12, -0.4, 1.03], [0.1, -0.38, 1.01]]},
    },
}

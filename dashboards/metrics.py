"""The one list of metrics: what the actors export, the board shows and ``metrics.md`` explains.

``python -m dashboards.metrics > dashboards/metrics.md`` writes the page anew.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

__all__ = ["METRICS", "Metric", "metric", "page"]

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One exported metric.

    Parameters
    ----------
    name
        As the actors create it. Ray exports it with ``ray_`` in front: :attr:`exported`.
    kind
        ``counter`` only grows, ``gauge`` is a level, ``histogram`` counts into ``bounds``.
    unit
        Unit of the value, in words.
    meaning
        What it says; becomes the help text a scrape shows.
    tags
        Labels it carries.
    bounds
        Upper bounds of a histogram's buckets.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    tags: tuple[str, ...] = ("symbol",)
    bounds: tuple[float, ...] = ()

    @property
    def exported(self) -> str:
        """Name in Prometheus."""
        return f"ray_{self.name}"


# Dense around the 10 ms that a decision may take, so that the p99 is read between near bounds.
_LATENCIES = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.5)

METRICS: tuple[Metric, ...] = (
    Metric("pregao_events_total", "counter", "events", "Events taken from the feed."),
    Metric("pregao_decisions_total", "counter", "decisions", "Decisions made and journalled."),
    Metric("pregao_orders_total", "counter", "orders", "Orders sent, paper orders included."),
    Metric("pregao_fills_total", "counter", "fills", "Fills that reached the account."),
    Metric("pregao_reconnects_total", "counter", "connections", "Lost connections re-made."),
    Metric(
        "pregao_gaps_total",
        "counter",
        "gaps",
        "Holes that the venue's history could not fill; features start afresh after each.",
    ),
    Metric(
        "pregao_bad_frames_total",
        "counter",
        "frames",
        "Frames and rows that could not be used, and were kept out, by what was wrong with them: "
        "malformed, price, size, time or symbol.",
        ("symbol", "reason"),
    ),
    Metric("pregao_price", "gauge", "quote currency", "Latest price."),
    Metric(
        "pregao_exposure",
        "gauge",
        "fraction of the largest position",
        "Position held, from -1 (short) to 1 (long).",
    ),
    Metric("pregao_equity", "gauge", "account currency", "Cash and open position at its price."),
    Metric("pregao_pnl", "gauge", "account currency", "Profit since the start, after all costs."),
    Metric(
        "pregao_lease_notional",
        "gauge",
        "account currency",
        "Largest position that the present risk lease allows.",
    ),
    Metric("pregao_lease_used", "gauge", "fraction of the lease", "Part of the lease in use."),
    Metric(
        "pregao_decision_seconds",
        "histogram",
        "seconds",
        "From taking up an event to its journalled decision.",
        bounds=_LATENCIES,
    ),
    Metric(
        "pregao_feed_age_seconds", "gauge", "seconds", "Time since the feed's last sign of life."
    ),
    Metric(
        "pregao_breaker_state",
        "gauge",
        "0, 1 or 2",
        "Circuit breaker: 0 running, 1 reduce only, 2 halted.",
    ),
    Metric(
        "pregao_settled_total",
        "counter",
        "decisions",
        "Decisions whose outcome became known, and was learnt; of models with `online` alone.",
    ),
    Metric(
        "pregao_drift_alarms_total",
        "counter",
        "alarms",
        "Changes that were told: the ensemble's own log losses (rise, fall), or columns that no "
        "longer look as they did in training (columns).",
        ("symbol", "reason"),
    ),
    Metric(
        "pregao_drift_columns",
        "gauge",
        "columns",
        "Columns that looked otherwise than in training at the last look.",
    ),
    Metric(
        "pregao_drift_loss",
        "gauge",
        "nats",
        "Mean log loss of what the ensemble by itself said, since that last changed.",
    ),
)

_NOTES = """\
# Metrics

Made from `dashboards/metrics.py` by `python -m dashboards.metrics`; change them there. The actors
create them through `ray.util.metrics`, and every node answers a scrape on its metrics port
(`ray.metrics_port` in the config; a floor of its own listens on loopback only). The board and the
alarms are in `board.py` and `rules.yml` beside this page.

## Reading them

* Ray puts `ray_` before each name and adds labels of its own, `WorkerId` among them. A restarted
  actor is a new worker: always aggregate `by (symbol)`.
* A counter of a dead worker is exported for minutes more; it stands still, so `rate` and `increase`
  are right and the bare value is not.
* A gauge disappears about 20 seconds after it was last set, and a dead worker's lingers as long
  beside its successor's. So gauges are averaged by symbol, never summed over workers.
* Ray exports a histogram's buckets exactly, but its `_sum` from the middles of the buckets: read
  quantiles, not the mean.
* A value shows up to 10 seconds after it was set.

## All of them
"""


def metric(name: str) -> Metric:
    """Return the metric called ``name``.

    Raises
    ------
    KeyError
        It is not in the list; nothing may be exported that the list does not explain.

    Examples
    --------
    >>> metric("pregao_price").exported
    'ray_pregao_price'
    """
    return _BY_NAME[name]


_BY_NAME = {known.name: known for known in METRICS}


def page() -> str:
    """Return ``metrics.md``: how to read the metrics, and a row for each."""
    rows = ["| in Prometheus | kind | unit | labels | meaning |", "|---|---|---|---|---|"]
    for known in METRICS:
        labels = ", ".join(f"`{tag}`" for tag in known.tags)
        rows.append(
            f"| `{known.exported}` | {known.kind} | {known.unit} | {labels} | {known.meaning} |"
        )
    return _NOTES + "\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())

"""The Grafana board, as code. ``python -m dashboards.board`` prints what Grafana imports."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from dashboards.metrics import metric

__all__ = ["PANELS", "Panel", "board"]

# Grafana cuts its board into 24 columns.
_COLUMNS = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart or one row of figures.

    Parameters
    ----------
    title
        What it answers.
    queries
        PromQL, each with its legend.
    unit
        Grafana's name of the unit.
    kind
        ``timeseries``, ``stat`` or ``state-timeline``.
    width, height
        In Grafana's grid, of 24 columns.
    note
        Shown behind the panel's *i*.
    steps
        Colour from each value on; the first is the base colour.
    words
        Words shown in place of values.
    """

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    note: str = ""
    steps: tuple[tuple[float | None, str], ...] = ((None, "green"),)
    words: tuple[tuple[float, str], ...] = ()


def _selected(name: str, suffix: str = "") -> str:
    return f'{metric(name).exported}{suffix}{{symbol=~"$symbol"}}'


def _level(name: str) -> str:
    """Return a gauge by symbol: a dead worker's value lingers, so workers are averaged."""
    return f"avg by (symbol) ({_selected(name)})"


def _rate(name: str) -> str:
    return f"sum by (symbol) (rate({_selected(name)}[$__rate_interval]))"


def _grown(name: str) -> str:
    return f"sum by (symbol) (increase({_selected(name)}[$__range]))"


def _quantile(share: float, name: str) -> str:
    buckets = f"sum by (le) (rate({_selected(name, '_bucket')}[$__rate_interval]))"
    return f"histogram_quantile({share}, {buckets})"


_STATES = ((0.0, "running"), (1.0, "reduce only"), (2.0, "halted"))
_TRAFFIC_LIGHT: tuple[tuple[float | None, str], ...] = ((None, "green"), (1, "orange"), (2, "red"))
_BY_SYMBOL = "{{symbol}}"

PANELS: tuple[Panel, ...] = (
    Panel(
        "Equity",
        ((f"sum({_level('pregao_equity')})", "equity"),),
        unit="currencyUSD",
        kind="stat",
        width=5,
        height=4,
    ),
    Panel(
        "Profit after all costs",
        ((f"sum({_level('pregao_pnl')})", "profit"),),
        unit="currencyUSD",
        kind="stat",
        width=5,
        height=4,
        steps=((None, "red"), (0, "green")),
    ),
    Panel(
        "Decision, p99",
        ((_quantile(0.99, "pregao_decision_seconds"), "p99"),),
        unit="s",
        kind="stat",
        width=4,
        height=4,
        note="From taking up an event to its journalled decision; may take 10 ms.",
        steps=((None, "green"), (0.01, "red")),
    ),
    Panel(
        "Breakers",
        ((_level("pregao_breaker_state"), _BY_SYMBOL),),
        kind="state-timeline",
        width=10,
        height=4,
        steps=_TRAFFIC_LIGHT,
        words=_STATES,
    ),
    Panel(
        "Profit by symbol, after all costs",
        ((_level("pregao_pnl"), _BY_SYMBOL),),
        unit="currencyUSD",
        width=12,
    ),
    Panel(
        "Position",
        ((_level("pregao_exposure"), _BY_SYMBOL),),
        unit="percentunit",
        width=12,
        note="Fraction of the largest position; below zero is short.",
    ),
    Panel("Price", ((_level("pregao_price"), _BY_SYMBOL),), width=12),
    Panel(
        "Risk lease in use",
        ((_level("pregao_lease_used"), _BY_SYMBOL),),
        unit="percentunit",
        width=6,
        steps=((None, "green"), (0.9, "orange"), (1, "red")),
    ),
    Panel(
        "Risk lease",
        ((_level("pregao_lease_notional"), _BY_SYMBOL),),
        unit="currencyUSD",
        width=6,
        note="Largest position each symbol may hold now. Zero: it may only reduce.",
    ),
    Panel("Events", ((_rate("pregao_events_total"), _BY_SYMBOL),), unit="cps"),
    Panel(
        "Decisions, orders, fills",
        tuple(
            (f"sum({_rate(f'pregao_{what}_total')})", what)
            for what in ("decisions", "orders", "fills")
        ),
        unit="cps",
    ),
    Panel(
        "Decision latency",
        tuple(
            (_quantile(share, "pregao_decision_seconds"), f"p{share * 100:g}")
            for share in (0.5, 0.9, 0.99)
        ),
        unit="s",
    ),
    Panel(
        "Age of the feed",
        ((_level("pregao_feed_age_seconds"), _BY_SYMBOL),),
        unit="s",
        steps=((None, "green"), (30, "red")),
    ),
    Panel(
        "Reconnects, gaps and bad frames in view",
        tuple(
            (f"sum({_grown(f'pregao_{what}_total')})", what.replace("_", " "))
            for what in ("reconnects", "gaps", "bad_frames")
        ),
        kind="stat",
        width=16,
        note="A reconnect loses nothing; a gap could not be filled and starts the features afresh.",
    ),
    Panel(
        "Log loss of the models by themselves",
        ((_level("pregao_drift_loss"), _BY_SYMBOL),),
        width=9,
        note="Nats, mean since it last changed. Of models that learn while they trade.",
    ),
    Panel(
        "Columns not as in training",
        ((_level("pregao_drift_columns"), _BY_SYMBOL),),
        width=9,
        steps=((None, "green"), (1, "orange")),
    ),
    Panel(
        "Outcomes learnt and drift told, in view",
        tuple(
            (f"sum({_grown(f'pregao_{what}_total')})", what.replace("_", " "))
            for what in ("settled", "drift_alarms")
        ),
        kind="stat",
        width=6,
        note="Nothing is done about drift but to say so: train again, or roll back.",
    ),
)


def board() -> dict[str, Any]:
    """Return the board as Grafana's dashboard JSON."""
    panels, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(PANELS, start=1):
        if x + panel.width > _COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        panels.append(_panel(number, panel, x, y))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return {
        "uid": "pregao-floor",
        "title": "Pregão: the floor",
        "description": "What each metric means: dashboards/metrics.md",
        "tags": ["pregao"],
        "schemaVersion": 39,
        "timezone": "utc",
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "templating": {"list": _variables()},
        "panels": panels,
    }


def _variables() -> list[dict[str, Any]]:
    values = f"label_values({metric('pregao_events_total').exported}, symbol)"
    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"},
        {
            "name": "symbol",
            "type": "query",
            "label": "Symbol",
            "datasource": _SOURCE,
            "definition": values,
            "query": {"query": values, "refId": "symbols"},
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    words = {
        str(int(value)): {"text": text, "index": i} for i, (value, text) in enumerate(panel.words)
    }
    steps = [{"value": value, "color": colour} for value, colour in panel.steps]
    drawn = panel.kind == "timeseries"
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.note,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "targets": [
            {
                "refId": chr(ord("A") + i),
                "expr": query,
                "legendFormat": legend,
                "datasource": _SOURCE,
            }
            for i, (query, legend) in enumerate(panel.queries)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "color": {"mode": "palette-classic" if drawn else "thresholds"},
                "thresholds": {"mode": "absolute", "steps": steps},
                "mappings": [{"type": "value", "options": words}] if words else [],
                "custom": {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never"}
                if drawn
                else {},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}} if drawn else {},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(board(), indent=2, ensure_ascii=False) + "\n")

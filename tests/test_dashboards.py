"""The board and the alarms speak of metrics that exist, in PromQL that Prometheus accepts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from dashboards.board import PANELS, board
from dashboards.metrics import METRICS, page
from dashboards.publish import main, publish
from market.errors import ConfigError, VenueRejected, VenueUnreachable

ROOT = Path(__file__).parents[1]
RULES = ROOT / "dashboards/rules.yml"
QUERIES = [query for panel in PANELS for query, _ in panel.queries]
ALARMS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt install prometheus)"
)


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def settled(query: str) -> str:
    """Fill in what Grafana would."""
    for variable, value in (("$symbol", ".*"), ("$__rate_interval", "1m"), ("$__range", "10m")):
        query = query.replace(variable, value)
    return query


def test_the_page_is_made_from_the_list() -> None:
    assert (ROOT / "dashboards/metrics.md").read_text(encoding="utf-8") == page(), (
        "run: python -m dashboards.metrics > dashboards/metrics.md"
    )


def test_names_follow_the_prometheus_habits() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert re.fullmatch(r"pregao_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert bool(metric.bounds) == (metric.kind == "histogram")
        assert list(metric.bounds) == sorted(set(metric.bounds))


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in ALARMS)])
def test_a_query_uses_known_metrics_each_after_its_kind(query: str) -> None:
    """Counters as rates, histograms by bucket, gauges as they are, and always by aggregation."""
    by_exported = {metric.exported: metric for metric in METRICS}
    used = list(re.finditer(r"ray_\w+", query))
    assert used
    for match in used:
        name = match.group()
        before = query[: match.start()]
        if name.endswith("_bucket"):
            assert by_exported[name.removesuffix("_bucket")].kind == "histogram"
            assert re.search(
                r"histogram_quantile\([\d.]+, sum by \((symbol, )?le\) \(rate\($", before
            )
        elif by_exported[name].kind == "counter":
            # A bare counter still tells which symbols there were; its value means nothing.
            assert before.endswith(("(rate(", "(increase(")) or "unless" in query
        else:
            assert by_exported[name].kind == "gauge"
            assert before.endswith(("avg by (symbol) (", "max by (symbol) ("))


def test_every_metric_is_on_the_board_or_in_an_alarm() -> None:
    everything = " ".join([*QUERIES, *(rule["expr"] for rule in ALARMS)])
    assert [metric.name for metric in METRICS if metric.exported not in everything] == []


def test_panels_fill_the_grid_without_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board()["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    height = max(y for _, y in taken) + 1
    assert len(taken) == 24 * height, "a row of panels is not 24 columns wide"


def test_every_alarm_says_what_to_do() -> None:
    for rule in ALARMS:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"].keys() == {"summary", "remedy"}


@needs_promtool
def test_the_rules_are_valid() -> None:
    outcome = promtool("check", "rules", str(RULES), folder=ROOT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@needs_promtool
def test_the_documented_prometheus_config_is_valid(tmp_path: Path) -> None:
    text = (ROOT / "docs/watching.md").read_text(encoding="utf-8")
    [config] = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "dashboards").mkdir()
    shutil.copy(RULES, tmp_path / "dashboards")
    (tmp_path / "prometheus.yml").write_text(config)
    outcome = promtool("check", "config", "prometheus.yml", folder=tmp_path)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert f"{len(ALARMS)} rules found" in outcome.stdout


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    text = ",".join(f'{key}="{value}"' for key, value in {"symbol": "R_75", **labels}.items())
    return {"series": f"ray_{name}{{{text}}}", "values": values}


def exported() -> Iterator[dict[str, str]]:
    """One worker's metrics over twenty minutes, in Ray's form."""
    for metric in METRICS:
        if metric.kind == "histogram":
            for bound in (*metric.bounds, "+Inf"):
                yield series(f"{metric.name}_bucket", "0+10x80", WorkerId="a", le=str(bound))
        else:
            values = "0+10x80" if metric.kind == "counter" else "0.5x80"
            yield series(metric.name, values, WorkerId="a")


@needs_promtool
def test_every_panel_has_something_to_show(tmp_path: Path) -> None:
    """Prometheus evaluates each query over all metrics, and gives one value or more."""
    questions = [
        {"expr": settled(query), "eval_time": "10m", "exp_samples": []} for query in QUERIES
    ]
    case = {"interval": "15s", "input_series": list(exported()), "promql_expr_test": questions}
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"tests": [case]}))
    outcome = promtool("test", "rules", "panels.yml", folder=tmp_path)
    # Nothing was expected, so promtool reports what it got for each question that has an answer.
    answers = re.findall(
        r'expr: "(.*)", time: .*\n\s+exp:\s?nil\n\s+got:(.*)', outcome.stdout + outcome.stderr
    )
    shown = {query.replace('\\"', '"') for query, got in answers if "NaN" not in got}
    assert shown == {settled(query) for query in QUERIES}


ALARM_CASES = {
    "FeedSilent": [series("pregao_feed_age_seconds", "0+15x80")],
    "SymbolStopped": [
        series("pregao_events_total", "100x80"),
        series("pregao_price", "5x20 stale"),
    ],
    "DecisionsStopped": [
        series("pregao_events_total", "0+10x80"),
        series("pregao_price", "5x80"),
        series("pregao_decisions_total", "100x80"),
    ],
    "DecisionsSlow": [
        series("pregao_decision_seconds_bucket", "0+5x80", le="0.01"),
        series("pregao_decision_seconds_bucket", "0+10x80", le="0.025"),
        series("pregao_decision_seconds_bucket", "0+10x80", le="+Inf"),
    ],
    "BreakerTripped": [series("pregao_breaker_state", "1x80")],
    "FeedLossy": [series("pregao_gaps_total", "0+1x80")],
    "FramesUnreadable": [series("pregao_bad_frames_total", "0+1x80")],
    "LossesRose": [series("pregao_drift_alarms_total", "0+1x80", reason="rise")],
    "ColumnsDrifted": [series("pregao_drift_columns", "2x80")],
}


def healthy() -> list[dict[str, str]]:
    faults = {
        "pregao_bad_frames_total",
        "pregao_gaps_total",
        "pregao_breaker_state",
        "pregao_drift_columns",
    }
    quiet = [series(name, "0x80", WorkerId="a") for name in faults]
    return quiet + [one for one in exported() if not any(name in one["series"] for name in faults)]


def test_every_alarm_is_tried() -> None:
    assert {rule["alert"] for rule in ALARMS} == ALARM_CASES.keys()


@needs_promtool
@pytest.mark.parametrize("alarm", ALARM_CASES)
def test_an_alarm_rings_for_its_fault_alone(alarm: str, tmp_path: Path) -> None:
    """Each fault raises its own alarm and no other; a healthy floor raises none."""
    severity = {rule["alert"]: rule["labels"]["severity"] for rule in ALARMS}
    labels = f'{{alertname="{alarm}", severity="{severity[alarm]}", symbol="R_75"}}'
    firing = 'count by (alertname, symbol, severity) (ALERTS{alertstate="firing"})'
    question = {"expr": firing, "eval_time": "20m"}
    ringing = {**question, "exp_samples": [{"labels": labels, "value": 1}]}
    silent = {**question, "exp_samples": []}
    cases = [
        {"interval": "15s", "input_series": ALARM_CASES[alarm], "promql_expr_test": [ringing]},
        {"interval": "15s", "input_series": healthy(), "promql_expr_test": [silent]},
    ]
    plan = {"rule_files": [str(RULES)], "evaluation_interval": "15s", "tests": cases}
    (tmp_path / "alarm.yml").write_text(yaml.safe_dump(plan))
    outcome = promtool("test", "rules", "alarm.yml", folder=tmp_path)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


class Grafana(BaseHTTPRequestHandler):
    """Answers as Grafana's board route does, over a real socket."""

    seen: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        allowed = self.headers["Authorization"] == "Bearer right"
        self.seen.append((self.path, body))
        answer = {"url": "/d/pregao-floor/x"} if allowed else {"message": "Invalid API key"}
        content = json.dumps(answer).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def grafana() -> Iterator[str]:
    Grafana.seen.clear()
    with HTTPServer(("127.0.0.1", 0), Grafana) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_publishing_sends_the_board(grafana: str) -> None:
    assert publish(f"{grafana}/inner/", "right", "trading") == f"{grafana}/d/pregao-floor/x"
    [(path, body)] = Grafana.seen
    assert path == "/inner/api/dashboards/db"
    assert body["dashboard"] == board()
    assert body["overwrite"] is True
    assert body["folderUid"] == "trading"


def test_publishing_says_why_it_failed(
    grafana: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(VenueRejected, match=r"Grafana 401: .*Invalid API key"):
        publish(grafana, "wrong")
    with pytest.raises(VenueUnreachable, match=r"no Grafana answers at http://127\.0\.0\.1:1:"):
        publish("http://127.0.0.1:1", "right")
    with pytest.raises(ConfigError, match="must look like http://host:3000, was 'localhost'"):
        publish("localhost", "right")
    monkeypatch.delenv("GRAFANA_TOKEN", raising=False)
    assert main([grafana]) == 1
    assert "GRAFANA_TOKEN must hold" in capsys.readouterr().err
    assert main([]) == 2

"""The command line: what is wrong is told in a line, with where it stands and what to do."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml
from typer.testing import CliRunner

from pregao import app
from tests.floor_data import free_port

ROOT = Path(__file__).resolve().parents[1]
FLOOR = {"symbols": [{"symbol": "R_75", "interval": 2.0}]}


def pregao(*arguments):
    """Run a command; return its exit code and all it says, colours and line breaks taken out."""
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(re.sub(r"\x1b\[[\d;]*m", "", result.output).split())


def test_help_names_every_command():
    done = subprocess.run(
        [sys.executable, "pregao.py", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for command in (
        "demo",
        "replay",
        "backtest",
        "compare",
        "exchange",
        "doctor",
        "config",
        "data",
        "features",
    ):
        assert re.search(rf"^\W*{command}\s", done.stdout, re.MULTILINE), command


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_every_config_here_is_right(path):
    code, said = pregao("config", "check", path)
    assert code == 0
    settings = yaml.safe_load(path.read_text())
    collected = [settings.get(venue, {}).get("symbols", ()) for venue in ("deriv", "binance")]
    symbols = settings["symbols"] if "symbols" in settings else [*collected[0], *collected[1]]
    default = 4 * (path.name == "exchange.yaml")  # what its Binance lists of itself
    assert said.startswith(f"right {path}: {len(symbols) + default} sym")


BROKEN = {
    "unknown key": (
        "seed: 1\nsymbols:\n  - {symbol: R_75, interval: 2.0}\nrisk:\n  lease_second: 5\n",
        ":5: risk.lease_second: unknown key; did you mean 'lease_seconds'?",
    ),
    "unknown key in a list": (
        "symbols:\n  - symbol: R_75\n    interval: 2.0\n    levrage: 2\n",
        ":4: symbols.0.levrage: unknown key; did you mean 'leverage'?",
    ),
    "wrong type": (
        "symbols:\n  - {symbol: R_75, interval: 2.0}\ncapital: much\n",
        ":3: capital: input should be a valid number, unable to parse string as a number, "
        "was 'much'",
    ),
    "out of range": (
        "symbols:\n  - {symbol: R_75, interval: 2.0}\nholdout: 1.5\n",
        ":3: holdout: input should be less than 0.9, was 1.5",
    ),
    "not a number at all": (
        "symbols:\n  - {symbol: R_75, interval: 2.0}\ncapital: .nan\n",
        ":3: capital: input should be a finite number, was nan",
    ),
    "missing key": (
        "symbols:\n  - symbol: R_75\n",
        ":2: symbols.0.interval: is missing; add it",
    ),
    "unknown policy": (
        "symbols:\n  - {symbol: R_75, interval: 2.0, policy: magic}\n",
        ":2: symbols.0.policy: input should be 'ppo', 'follow', 'hold', 'probe' or 'flat', "
        "was 'magic'",
    ),
    "symbol twice": (
        "symbols:\n  - {symbol: R_75, interval: 2.0}\n  - {symbol: R_75, interval: 1.0}\n",
        "each symbol may be listed once, R_75 is listed twice",
    ),
    "no YAML": (
        "seed: 1\nsymbols: [\n",
        ":3: not valid YAML",
    ),
    "no mapping": ("- seed\n", ":1: must be a mapping of keys to values"),
    "empty": ("", ":1: must be a mapping of keys to values"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_config_is_told_with_line_key_and_remedy(tmp_path, what):
    text, told = BROKEN[what]
    path = tmp_path / "floor.yaml"
    path.write_text(text)
    code, said = pregao("config", "check", path)
    assert code == 1
    assert said.startswith(f"error {path}")
    assert told in said
    assert "Traceback" not in said


def test_all_faults_are_told_at_once(tmp_path):
    path = tmp_path / "floor.yaml"
    path.write_text("sed: 1\ncapital: -1\nsymbols: [{symbol: R_75, interval: 2.0}]\n")
    code, said = pregao("config", "check", path)
    assert code == 1
    assert "2 faults" in said
    assert f"{path}:1: sed: unknown key; did you mean 'seed'?" in said
    assert f"{path}:2: capital: input should be greater than 0, was -1" in said


def test_a_missing_config_is_told(tmp_path):
    code, said = pregao("config", "check", tmp_path / "none.yaml")
    assert code == 1
    assert (
        said
        == f"error {tmp_path / 'none.yaml'}: can't be read (No such file or directory); "
        + ("check the path")
    )


@pytest.mark.parametrize("key", ["exchange.deriv.port", "serve.port", "ray.metrics_port"])
def test_a_second_demo_names_the_taken_port_and_its_key(tmp_path, key):
    config = FLOOR | {"folder": str(tmp_path / "floor")}
    ports = {"exchange.deriv": {"port": free_port()}, "serve": {"port": free_port()}}
    ports["ray"] = {"metrics_port": free_port()}
    path = tmp_path / "demo.yaml"
    before = {one.pid for one in psutil.Process().children(recursive=True)}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        room, name = key.rsplit(".", 1)
        ports[room][name] = port
        ports["exchange"] = {"deriv": ports.pop("exchange.deriv")}
        path.write_text(yaml.safe_dump(config | ports))
        code, said = pregao("demo", "--config", path)
    assert code == 1
    assert str(port) in said
    assert key in said
    assert "Traceback" not in said
    # It was told before anything was begun: not a file, not a process.
    assert not (tmp_path / "floor").exists()
    assert {one.pid for one in psutil.Process().children(recursive=True)} <= before


def recording(folder):
    folder.mkdir()
    rows = "".join(f",{1_775_001_600 + 2 * i},R_75,{100 + i % 3}\n" for i in range(50))
    (folder / "R_75.csv").write_text("timestamp,unix_time,instrument,price\n" + rows)
    return folder


def test_a_backtest_without_desks_says_what_to_run_first(tmp_path):
    path = tmp_path / "replay.yaml"
    path.write_text(yaml.safe_dump(FLOOR | {"folder": str(tmp_path / "floor")}))
    code, said = pregao("backtest", path, "--data", recording(tmp_path / "data"))
    assert code == 1
    assert "nothing learnt yet; run `pregao replay` first" in said


@pytest.mark.parametrize("command", ["replay", "backtest"])
def test_recordings_that_are_not_there_are_told(tmp_path, command):
    path = tmp_path / "replay.yaml"
    other = {"symbols": [{"symbol": "R_10", "interval": 2.0}], "folder": str(tmp_path / "floor")}
    path.write_text(yaml.safe_dump(other))
    code, said = pregao(command, path, "--data", tmp_path / "none")
    assert (code, said) == (1, f"error {tmp_path / 'none'} is no folder; check the path")
    code, said = pregao(command, path, "--data", recording(tmp_path / "data"))
    assert code == 1
    assert "none of the recordings (R_75) is of a symbol in the config; add it under" in said
    assert not (tmp_path / "floor").exists()


def test_the_exchange_runs_until_it_is_interrupted(tmp_path):
    path = tmp_path / "exchange.yaml"
    path.write_text("deriv: {port: 0}\nbinance: {port: 0, history_seconds: 60}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "pregao", "exchange", "--config", str(path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        said = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    finally:
        process.kill()
    assert [line.split()[0] for line in said] == ["deriv", "binance", "ready"]
    assert process.returncode == 0

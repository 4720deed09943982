"""`pregao doctor`: each fault of a machine is found, and comes with its remedy."""

from __future__ import annotations

import io
import os
import socket
import sys
from importlib import metadata
from pathlib import Path

import pytest
from rich.console import Console

from actors.doctor import Finding, examine, machine, packages, report, trial

ROOT = Path(__file__).parents[1]


def shown(findings: list[Finding]) -> tuple[int, str]:
    text = io.StringIO()
    return report(findings, Console(file=text, width=160)), text.getvalue()


def test_the_machine_that_runs_these_tests_is_fit() -> None:
    findings = list(examine({"serve.port": 0}, ray=False))
    assert [finding for finding in findings if finding.level == "fault"] == []
    assert all(finding.seen for finding in findings)


def test_a_taken_port_names_its_owner_and_the_key_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        finding = machine.port_free("serve.port", server.getsockname()[1])
    assert finding.level == "fault"
    assert f"(pid {os.getpid()})" in finding.seen
    assert finding.remedy == "stop that, or set serve.port to another port"


def test_a_port_whose_last_connection_is_still_closing_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()
    assert machine.port_free("serve.port", port).level == "fine"


@pytest.mark.parametrize(
    ("line", "level", "seen"),
    [
        (f"pytest=={metadata.version('pytest')}", "fine", "1 at their locked versions"),
        ("pytest==0.1", "fault", f"pytest {metadata.version('pytest')}, locked ==0.1"),
        ("no-such-package==1.0", "fault", "no-such-package absent"),
        ("no-such-package==1.0 ; sys_platform == 'amiga'", "fine", "0 at their locked versions"),
        ("torch==2.13.0", "fine", "1 at their locked versions"),
        ("# a comment", "fine", "0 at their locked versions"),
        ("what == is ( this", "fault", "can't read 'what == is ( this'"),
    ],
)
def test_packages_are_compared_with_the_lock(
    line: str, level: str, seen: str, tmp_path: Path
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"{line}\n")
    finding = packages.locked(lock)
    assert (finding.level, seen in finding.seen) == (level, True), finding
    assert bool(finding.remedy) == (level == "fault")


def test_a_missing_lock_is_a_fault(tmp_path: Path) -> None:
    assert packages.locked(tmp_path / "requirements.lock").level == "fault"


def test_a_package_that_does_not_load_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torn_package.py").write_text(
        "raise OSError('libgomp.so.1: cannot open shared object file')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    finding = packages.loads("torn_package")
    assert finding.level == "fault"
    assert "libgomp.so.1" in finding.seen
    assert "apt install libgomp1" in finding.remedy
    assert packages.loads("no_such_package").level == "fault"


def test_a_small_machine_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_MEMORY", 2**60)
    monkeypatch.setattr(machine, "_SHARED", 2**60)
    by_name = {finding.what: finding for finding in machine.memory_and_disk(ROOT)}
    assert by_name["memory"].level == "fault"
    assert by_name["memory"].remedy == "close something, or run fewer symbols"
    if sys.platform == "linux":
        assert by_name["/dev/shm"].level == "note"


def test_somebody_elses_cluster_is_noted() -> None:
    assert machine.ray_address({}).level == "fine"
    assert machine.ray_address({"RAY_ADDRESS": "10.0.0.1:6379"}).level == "note"


def test_a_ray_that_fails_or_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_TRIAL", "raise SystemExit('no room at /tmp')")
    failed = trial.ray_starts(ROOT)
    assert (failed.level, failed.seen) == ("fault", "no room at /tmp")
    monkeypatch.setattr(trial, "_TRIAL", "import time; time.sleep(60)")
    monkeypatch.setattr(trial, "_SECONDS", 0.3)
    assert "no start within" in trial.ray_starts(ROOT).seen


def test_a_broken_cluster_file_does_not_stop_a_local_floor(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("provider: {type: awss}\n")
    finding = trial.cluster_file(tmp_path / "cluster.yaml")
    assert finding.level == "note"
    assert "did you mean 'aws'?" in finding.seen


def test_the_report_counts_faults_alone() -> None:
    fine, note = Finding("a", "fine", "well"), Finding("b", "note", "less", "do b")
    code, text = shown([fine, note])
    assert (code, "fit to run" in text, "do b" in text) == (0, True, True)
    code, text = shown([fine, Finding("c", "fault", "ill", "do c"), note])
    assert (code, "1 to mend" in text, "do c" in text) == (1, True, True)

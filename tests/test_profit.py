"""ProfitDLL's adapter: the binary interface, logging in, and what bytes and texts become."""

from __future__ import annotations

import ctypes as c
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import (
    ConfigError,
    DataError,
    UnknownSymbol,
    VenueRejected,
    VenueUnreachable,
)
from tests.profit_dll import Stub, fresh, opened, session
from venues.profit import ProfitStream, abi
from venues.profit.config import credentials
from venues.profit.library import load
from venues.profit.moments import of_text
from venues.profit.prices import ADD, DELETE, EDIT, PriceList, levels_of

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


@pytest.fixture
def newest(profit_libraries: dict[str, Path], tmp_path: Path) -> Stub:
    return fresh(profit_libraries["new"], tmp_path)


def test_structures_have_the_sizes_that_a_c_compiler_gives_them(newest: Stub) -> None:
    kinds = (
        abi.AssetID, abi.AssetIdentifier, abi.AccountIdentifier, abi.ConnectorTrade,
        abi.SendOrder, abi.OrderIdentifier, abi.ConnectorOrder, abi.OrderOut,
        abi.AccountPosition, abi.CancelOrder, abi.SystemTime,
    )  # fmt: skip
    sizes = [c.sizeof(kind) for kind in kinds]
    assert sizes == [newest.sizes(i) for i in range(len(kinds))]
    assert sizes[:5] == [24, 32, 32, 64, 112]


def test_off_windows_the_dll_is_refused_with_a_remedy() -> None:
    with pytest.raises(VenueUnreachable, match="runs on Windows only"):
        load(Path("ProfitDLL64.dll"))


def test_a_library_that_is_not_there_or_another(tmp_path: Path) -> None:
    with pytest.raises(VenueUnreachable, match="can't be loaded"):
        load(tmp_path / "none.so")
    empty = tmp_path / "other.c"
    empty.write_text("int nothing(void) { return 0; }\n")
    other = tmp_path / "other.so"
    import subprocess

    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(other), str(empty)], check=True)
    with pytest.raises(ConfigError, match="has no DLLInitializeLogin; take ProfitDLL 4"):
        load(other)


def test_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFIT_KEY", "k")
    monkeypatch.delenv("PROFIT_USER", raising=False)
    monkeypatch.setenv("PROFIT_PASSWORD", "p")
    with pytest.raises(ConfigError, match="PROFIT_USER"):
        credentials()
    monkeypatch.setenv("PROFIT_USER", "u")
    assert credentials() == ("k", "u", "p")


@pytest.mark.parametrize(("code", "reason"), [(2, "wrong password"), (4, "licence expired")])
async def test_a_refused_login_says_why(newest: Stub, code: int, reason: str) -> None:
    newest.login(code, 4)
    with pytest.raises(VenueRejected, match=reason):
        await session(newest).open()


async def test_a_market_that_does_not_come_is_named(newest: Stub) -> None:
    newest.login(0, 3)
    with pytest.raises(VenueUnreachable, match="no market data in"):
        await session(newest, timeout=0.2).open()


async def test_an_unknown_ticker(newest: Stub) -> None:
    async with opened(newest) as running:
        with pytest.raises(UnknownSymbol, match="B3 has no 'WDOX99'"):
            await anext(ProfitStream(running, "WDOX99").events(0))
        assert not running._listeners


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-2, 9), st.integers(1, 99))))
def test_a_price_list_is_the_list_python_would_keep(
    actions: list[tuple[int, int, int]],
) -> None:
    kept, mirror = PriceList(), []
    for action, position, size in actions:
        before = kept.levels
        try:
            kept.change(action, position, 100.0 + size, float(size))
        except DataError:
            assert kept.levels == before
            continue
        if action == ADD:
            mirror.insert(position, (100.0 + size, float(size)))
        elif action == EDIT:
            mirror[position] = (100.0 + size, float(size))
        elif action == DELETE:
            del mirror[position]
        else:
            del mirror[: position + 1]
        assert kept.levels == tuple(mirror)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_book_or_refused(packed: bytes) -> None:
    try:
        levels, _ = levels_of(packed)
    except DataError:
        return
    assert len(levels) * 20 + 8 <= len(packed)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        assert of_text(text) > 0 or "19" in text
    except DataError:
        return

"""The bundled exchange in options-v1: passwords, renamed fields, its own limits, one ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from market.synthetics import SYNTHETICS
from tests.exchange_client import Client, client, config, sent
from tests.options_client import CALL, HEADERS, MULTUP, password_url, public, rest, trader
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.config import OptionsConfig
from venues.simulated.deriv.dialect import Options
from venues.simulated.deriv.door import PUBLIC
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.limits import Limits
from venues.simulated.deriv.otp import ACCOUNTS, SOCKET, Passwords


@pytest.fixture
async def exchange() -> AsyncIterator[DerivExchange]:
    async with DerivExchange(config()) as running:
        yield running


# ---------------------------------------------------------------- coming in


async def test_the_public_socket_needs_nothing(exchange: DerivExchange) -> None:
    async with public(exchange) as one:
        tick = (await one.call(ticks="R_75", subscribe=1))["tick"]
        assert tick["symbol"] == "R_75"
        await exchange.advance(6)
        assert await one.ticks(3) == sent(exchange, "R_75")
        assert (await one.call(balance=1))["error"]["code"] == "AuthorizationRequired"
        bought = await one.call(buy="1", price=10, parameters=MULTUP)
        assert bought["error"]["code"] == "AuthorizationRequired"


async def test_both_dialects_are_one_market(exchange: DerivExchange) -> None:
    async with public(exchange) as new, client(exchange) as old:
        for each in (new, old):
            await each.call(ticks="BOOM500", subscribe=1)
        await exchange.advance(50)
        assert await new.ticks(50) == await old.ticks(50)


async def test_a_password_opens_the_tokens_account(exchange: DerivExchange) -> None:
    status, listed = await rest(exchange, "GET", ACCOUNTS, HEADERS)
    assert status == 200
    assert [entry["account_type"] for entry in listed["data"]] == ["demo"]
    async with trader(exchange) as one, client(exchange) as old:
        told = (await one.call(balance=1))["balance"]
        assert told["loginid"] == listed["data"][0]["account_id"]
        # It is the account that authorize opens in v3.
        opened = (await old.call(authorize="a-token"))["authorize"]
        assert (opened["loginid"], opened["balance"]) == (told["loginid"], told["balance"])
        bought = (await one.call(buy="1", price=10, parameters=MULTUP))["buy"]
        assert (await old.call(balance=1))["balance"]["balance"] == bought["balance_after"] == 9990
    async with trader(exchange, "another-token") as two:
        assert (await two.call(balance=1))["balance"]["loginid"] != told["loginid"]


async def test_a_password_is_good_once(exchange: DerivExchange) -> None:
    url = await password_url(exchange)
    assert url != await password_url(exchange)
    async with connect(url):
        pass
    for wrong in (url, f"{exchange.url}{SOCKET}", f"{exchange.url}{SOCKET}?otp=guessed"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(wrong)
        assert refused.value.response.status_code == 401


def test_a_password_is_good_for_two_minutes() -> None:
    clock = {"now": 0.0}
    exchange = DerivExchange(config())
    passwords = Passwords(config(), exchange.trading.account, lambda: clock["now"])
    path = f"{ACCOUNTS}/{exchange.trading.account('a-token').login}/otp"

    def otp() -> str:
        told = json.loads(passwords.answer("POST", path, HEADERS, "ws://x")[1])
        return str(told["data"]["url"]).partition("=")[2]

    in_time, late = otp(), otp()
    clock["now"] = 119.9
    assert passwords.redeem(in_time) == "a-token"
    clock["now"] = 120.0
    assert passwords.redeem(late) is None


@pytest.mark.parametrize(
    ("method", "path", "changed", "status", "code"),
    [
        ("POST", "{account}/otp", {"Authorization": "Bearer expired"}, 401, "Unauthorized"),
        ("POST", "{account}/otp", {"Authorization": "Basic a-token"}, 401, "Unauthorized"),
        ("POST", "{account}/otp", {"Authorization": ""}, 401, "Unauthorized"),
        ("POST", "{account}/otp", {"Deriv-App-ID": ""}, 400, "InvalidAppID"),
        ("POST", "VRTC000000001/otp", {}, 403, "Forbidden"),
        ("GET", "{account}/otp", {}, 405, "MethodNotAllowed"),
        ("POST", "{account}/opt", {}, 404, "NotFound"),
    ],
)
async def test_rest_refusals(
    exchange: DerivExchange, method: str, path: str, changed: dict[str, str], status: int, code: str
) -> None:
    account = exchange.trading.account("a-token").login
    asked = f"{ACCOUNTS}/{path.format(account=account)}"
    got, told = await rest(exchange, method, asked, HEADERS | changed)
    assert got == status
    [error] = told.pop("errors")
    assert told == {"meta": {}}
    assert (error["status"], error["code"], set(error)) == (
        status,
        code,
        {"status", "code", "message"},
    )
    assert "expired" not in json.dumps(told)


@pytest.mark.parametrize("body", [None, {}, {"note": "x" * 20_000}])
async def test_rest_bodies_are_taken(exchange: DerivExchange, body: Any) -> None:
    path = f"{ACCOUNTS}/{exchange.trading.account('a-token').login}/otp"
    status, told = await rest(exchange, "POST", path, HEADERS, json=body)
    assert status == 200
    async with connect(told["data"]["url"]) as socket:
        assert (await Client(socket).call(ping=1))["ping"] == "pong"


async def test_an_opening_request_may_come_in_pieces(exchange: DerivExchange) -> None:
    account = exchange.trading.account("a-token").login
    request = (
        f"POST {ACCOUNTS}/{account}/otp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-token\r\n"
        "Deriv-App-ID: 1\r\nContent-Length: 10\r\n\r\n0123456789"
    ).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    for k in range(len(request)):
        writer.write(request[k : k + 1])
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"/ws/demo?otp=" in answer
    writer.close()
    # One that never ends is turned away, not kept.
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    writer.write(b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 200_000)
    assert not (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 1")
    writer.close()


async def test_rest_rate_limit() -> None:
    limits = OptionsConfig(rest_per_minute=2)
    async with DerivExchange(config(options=limits)) as exchange:
        await password_url(exchange)
        status, told = await rest(exchange, "GET", ACCOUNTS, HEADERS)
        assert (status, told["errors"][0]["code"]) == (429, "RateLimit")
        # By token: another one may still call.
        await password_url(exchange, "another-token")


# ---------------------------------------------------------------- speaking


async def test_gone_calls_and_fields(exchange: DerivExchange) -> None:
    async with public(exchange) as one:
        for gone in ({"website_status": 1}, {"sing": 1}):
            refused = await one.call(**gone)
            assert refused["error"]["code"] == "UnrecognisedRequest"
            assert refused["msg_type"] == "error"
        await one.socket.send('{"authorize": "a-token", "req_id": 9}')
        refused = await one.next()
        assert refused["error"]["code"] == "UnrecognisedRequest"
        assert "a-token" not in json.dumps(refused)
        assert (await one.call(balance=1))["error"]["code"] == "AuthorizationRequired"
        for request, field in (
            ({"active_symbols": "brief", "product_type": "basic"}, "product_type"),
            ({"contracts_for": "R_75", "currency": "USD"}, "currency"),
            ({"proposal": 1, **CALL, "date_start": 1}, "date_start"),
            ({"buy": "1", "price": 1, "parameters": MULTUP | {"product_type": "basic"}},
             "product_type"),
            ({"portfolio": 1, "loginid": "VRTC1"}, "loginid"),
        ):  # fmt: skip
            refused = await one.call(**request)
            assert refused["error"]["code"] == "InputValidationFailed"
            assert set(refused["error"]["details"]) == {field}
            assert refused["msg_type"] == next(iter(request))


async def test_the_old_name_of_a_symbol_is_strange(exchange: DerivExchange) -> None:
    old = {("symbol" if k == "underlying_symbol" else k): v for k, v in CALL.items()}
    async with public(exchange) as one:
        refused = await one.call(proposal=1, **old)
        error = refused["error"]
        assert refused["echo_req"]["symbol"] == "R_75"
        assert error["code"] == "InputValidationFailed"
        assert error["details"] == {
            "symbol": "Properties not allowed: symbol.",
            "underlying_symbol": "Missing property.",
        }
        assert "underlying_symbol" in error["message"]
        assert "proposal" in await one.call(proposal=1, **CALL)
    async with trader(exchange) as two:
        wrong = await two.call(buy="1", price=10, parameters=old)
        assert wrong["echo_req"]["parameters"] == old
        assert wrong["error"]["code"] == "InputValidationFailed"
        bought = await two.call(buy="1", price=10, parameters=CALL)
        assert bought["echo_req"]["parameters"] == CALL
        assert bought["buy"]["buy_price"] == 10


async def test_listings_have_the_new_names(exchange: DerivExchange) -> None:
    async with public(exchange) as new, client(exchange) as old:
        listed = (await new.call(active_symbols="full"))["active_symbols"]
        before = (await old.call(active_symbols="full"))["active_symbols"]
        assert [entry["underlying_symbol"] for entry in listed] == [e["symbol"] for e in before]
        assert [entry["pip_size"] for entry in listed] == [e["pip"] for e in before]
        offered = (await new.call(contracts_for="R_75"))["contracts_for"]["available"]
        kinds = {contract["contract_type"] for contract in offered}
        assert {"MULTUP", "MULTDOWN", "CALL", "PUT"} <= kinds


async def test_an_open_contract_is_told_in_text(exchange: DerivExchange) -> None:
    async with trader(exchange) as new, client(exchange) as old:
        number = (await new.call(buy="1", price=10, parameters=MULTUP))["buy"]["contract_id"]
        await exchange.advance(20)
        await old.call(authorize="a-token")
        asked = {"proposal_open_contract": 1, "contract_id": number}
        told = (await new.call(**asked))["proposal_open_contract"]
        before = (await old.call(**asked))["proposal_open_contract"]
        assert told["underlying_symbol"] == before["underlying"] == "R_75"
        for name in ("bid_price", "buy_price", "commission", "profit"):
            assert told[name] == f"{before[name]:.2f}"
        assert told["entry_spot"] == f"{before['entry_tick']:.4f}"
        assert told["entry_spot_time"] == before["entry_tick_time"]
        held = (await new.call(portfolio=1))["portfolio"]["contracts"]
        assert [contract["underlying_symbol"] for contract in held] == ["R_75"]


async def test_echo_can_be_left_out() -> None:
    silent = OptionsConfig(echo=False)
    async with (
        DerivExchange(config(options=silent)) as exchange,
        connect(f"{exchange.url}{PUBLIC}") as socket,
        client(exchange) as old,
    ):
        for request in ({"ticks": "R_75", "subscribe": 1}, {"ticks": "R_0"}, {"time": 1}):
            await socket.send(json.dumps(request | {"req_id": 5}))
            frame = json.loads(await asyncio.wait_for(socket.recv(), 5))
            assert "echo_req" not in frame
            assert frame["req_id"] == 5
        assert "echo_req" in await old.call(time=1)


async def test_limits_of_its_own() -> None:
    limits = OptionsConfig(calls_per_second=3, subscriptions=2)
    quiet = config(options=limits, calls_per_minute=1, symbols=("R_75", "R_100", "BOOM500"))
    async with DerivExchange(quiet) as exchange, public(exchange) as one:
        for symbol in ("R_75", "R_100"):
            await one.call(ticks=symbol, subscribe=1)
        refused = await one.call(ticks="BOOM500", subscribe=1)
        assert refused["error"]["code"] == "RateLimit"
        assert "2 subscriptions" in refused["error"]["message"]
        assert (await one.call(active_symbols="brief"))["error"]["code"] == "RateLimit"


def test_calls_are_counted_by_the_second() -> None:
    clock = {"now": 0.0}
    limits = Limits(Options(OptionsConfig(calls_per_second=3)).rates, lambda: clock["now"])
    for _ in range(3):
        limits.count("proposal")
    with pytest.raises(Refusal) as refused:
        limits.count("portfolio")
    assert refused.value.code == "RateLimit"
    clock["now"] = 1.0
    limits.count("portfolio")


@pytest.mark.parametrize("symbol", ["JD10", "JD100", "OU10", "REGIME10", "PLANTED10"])
async def test_the_younger_symbols_are_traded(symbol: str) -> None:
    async with DerivExchange(config(symbols=(symbol,))) as exchange, trader(exchange) as one:
        [listed] = (await one.call(active_symbols="brief"))["active_symbols"]
        assert (listed["underlying_symbol"], listed["pip_size"]) == (symbol, 0.01)
        offered = (await one.call(contracts_for=symbol))["contracts_for"]["available"]
        ranges = {one["contract_type"]: one.get("multiplier_range") for one in offered}
        multipliers = list(SYNTHETICS[symbol].multipliers)
        assert (ranges["MULTUP"], ranges["MULTDOWN"]) == (multipliers, multipliers)
        assert {"CALL", "PUT"} <= ranges.keys()
        for terms in (MULTUP | {"multiplier": multipliers[0]}, CALL):
            asked = terms | {"underlying_symbol": symbol}
            assert "buy" in await one.call(buy="1", price=10, parameters=asked)
        await exchange.advance(10)
        held = (await one.call(portfolio=1))["portfolio"]["contracts"]
        assert [contract["contract_type"] for contract in held] == ["MULTUP"]


# ---------------------------------------------------------------- the official client


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_official_client_works_over_a_password(exchange: DerivExchange) -> None:
    deriv_api = pytest.importorskip("deriv_api", reason="python-deriv-api is not installed")
    async with connect(await password_url(exchange)) as socket:
        api = deriv_api.DerivAPI(connection=socket)
        try:
            assert (await asyncio.wait_for(api.send({"ping": 1}), 5))["ping"] == "pong"
            offer = await api.send({"proposal": 1, **MULTUP})
            bought = await api.send({"buy": offer["proposal"]["id"], "price": 10})
            assert bought["buy"]["balance_after"] == 9990
            frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            (await api.subscribe({"ticks": "R_75"})).subscribe(frames.put_nowait)
            await asyncio.wait_for(frames.get(), 5)
            await exchange.advance(6)
            live = [(await asyncio.wait_for(frames.get(), 5))["tick"] for _ in range(3)]
        finally:
            await api.disconnect()
    assert [(tick["epoch"], tick["quote"]) for tick in live] == sent(exchange, "R_75")


# ---------------------------------------------------------------- whatever is sent

FIELDS = ("proposal", "buy", "parameters", "symbol", "underlying_symbol", "ticks", "price",
          "loginid", "portfolio", "authorize", "product_type", "contract_type", "time")  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["R_75", 1]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1), max_size=20))
def test_every_request_is_answered_and_echoed(requests: list[dict[str, Any]]) -> None:
    async def converse() -> None:
        async with DerivExchange(config(history_seconds=300)) as exchange, trader(exchange) as one:
            for number, request in enumerate(requests):
                asked = request | {"req_id": number}
                await one.socket.send(json.dumps(asked))
                answer = await one.next()
                assert answer["req_id"] == number
                if "authorize" not in request and "tokens" not in request:
                    assert answer["echo_req"] == asked

    asyncio.run(converse())

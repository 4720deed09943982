"""What a wrong setting is told with: our words, and no secret that stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, field_validator

from market.bars import BarRule
from market.config import Config, load
from market.errors import ConfigError
from market.shown import shown, without_secrets
from venues.binance.config import BinanceConfig
from venues.deriv.config import DerivConfig
from venues.simulated.binance.config import BinanceExchangeConfig


class Venues(Config):
    """Settings with everything a fault can stand in."""

    deriv: DerivConfig = DerivConfig()
    binance: BinanceConfig = BinanceConfig()
    exchange: BinanceExchangeConfig = BinanceExchangeConfig()
    addresses: tuple[Annotated[str, Field(pattern=r"^https://[^\s@]+$")], ...] = ()
    api_token: int = 0
    notes: int = 0

    @field_validator("addresses", mode="after")
    @classmethod
    def _few(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        if len(addresses) > 1:
            raise ValueError(f"must be one address, were {', '.join(addresses)}")
        return addresses


def told(folder: Path, settings: Any) -> str:
    path = folder / "x.yaml"
    path.write_text(yaml.safe_dump(settings))
    with pytest.raises(ConfigError) as caught:
        load(path, Venues)
    return str(caught.value).replace(str(path), "")


HUSH = "hush5"
SECRET = {
    "an endpoint's user": {"deriv": {"endpoint": f"ws://me:{HUSH}@127.0.0.1:1"}},
    "an endpoint's user alone": {"deriv": {"endpoint": f"ws://{HUSH}@127.0.0.1:1"}},
    "a password of odd characters": {"deriv": {"endpoint": f"ws://me:a/?@ {HUSH}@127.0.0.1:1"}},
    "no scheme": {"deriv": {"endpoint": f"me:{HUSH}@127.0.0.1:1"}},
    "a forgotten host": {"deriv": {"endpoint": f"ws://me:{HUSH}"}},
    "a query": {"binance": {"rest": f"https://host?token={HUSH}"}},
    "a query without a scheme": {"binance": {"rest": f"host/?token={HUSH}"}},
    "a fragment": {"binance": {"stream": f"wss://host#{HUSH}"}},
    "a list's address": {"addresses": ["https://right", f"https://me:{HUSH}@host"]},
    "what a check of ours says": {"addresses": ["https://right", f"https://h?{HUSH}"]},
    "a key that names it": {"api_token": HUSH},
    "a list under such a key": {"api_token": [1, {"a": HUSH}]},
    "a mapping's key that names it": {"notes": {"password": HUSH}},
    "a list of mappings": {"notes": [{"a": {"apiKey": HUSH}}, [f"ws://me:{HUSH}@h"]]},
    "settings of a key": {"exchange": {"keys": [{"key": "k", "secret": [HUSH]}]}},
    "a whole section": {"exchange": [{"secret": HUSH}]},
    "an address as a key": {f"ws://me:{HUSH}@host": 1},
    "a mapping's address as a key": {"notes": {f"ws://me:{HUSH}@host": 1}},
}


@pytest.mark.parametrize("what", SECRET)
def test_no_secret_is_told(tmp_path: Path, what: str) -> None:
    said = told(tmp_path, SECRET[what])
    assert HUSH not in said
    assert said.startswith(":")


def test_what_is_no_secret_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, {"deriv": {"endpoint": "ws://me:hush@127.0.0.1:1/x"}})
    assert said == (
        ":2: deriv.endpoint: must hold no password: secrets come from the environment alone, "
        "was 'ws://…@127.0.0.1:1/x'"
    )
    said = told(tmp_path, {"deriv": {"endpoint": "http://127.0.0.1:8765/x"}})
    assert said.endswith("must start with ws:// or wss://, was 'http://127.0.0.1:8765/x'")


@given(
    st.text("ab:/?#@ .=&%1[]\n", max_size=12).map(lambda text: f"{text}hush5"),
    st.sampled_from(["ws://me:{}@host:1/x", "https://host/x?token={}", "me:{}@host", "ws://{}@h"]),
)
@example("'\"", "ws://me:{}hush5@host")
def test_a_password_may_hold_anything(password: str, address: str) -> None:
    assert "hush5" not in without_secrets(address.format(password))
    assert "hush5" not in shown({"a": [address.format(password)]})


def test_a_message_has_our_words(tmp_path: Path) -> None:
    assert "must start with http:// or https://, was 'x'" in told(
        tmp_path, {"binance": {"rest": "x"}}
    )
    assert "must be a scheme and a host alone, such as wss://host:8080, was 'wss://…@h'" in told(
        tmp_path, {"binance": {"stream": "wss://me@h"}}
    )
    assert "account: must be characters of A-Za-z0-9 alone, was 'a-b'" in told(
        tmp_path, {"deriv": {"account": "a-b"}}
    )
    said = told(tmp_path, {"binance": {"backoff_first": 9.0, "backoff_most": 1.0}})
    assert "binance: backoff_first must not exceed" in said
    with pytest.raises(ConfigError, match=r"^size must be positive, was 0 in 'volume:0'$"):
        BarRule.parse("volume:0")


def test_what_was_there_is_cut(tmp_path: Path) -> None:
    said = told(tmp_path, {"notes": {f"name{k}": k for k in range(100)}})
    was = said.partition(", was ")[2]
    assert (len(was), was[:20], was[-1]) == (80, "{'name0': 0, 'name1'", "…")


def test_only_a_slip_of_the_pen_is_a_close_name(tmp_path: Path) -> None:
    said = told(tmp_path, {"nots": 1})
    assert "unknown key; did you mean 'notes'?" in said
    said = told(tmp_path, {"token": 1})
    assert "unknown key; known keys: addresses, api_token, binance" in said

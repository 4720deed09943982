"""B3 through Nelogica's ProfitDLL: trades, quotes, book, history and orders, on Windows."""

from venues.profit.broker import ProfitBroker
from venues.profit.config import ProfitConfig, credentials
from venues.profit.session import ProfitSession
from venues.profit.stream import ProfitStream

__all__ = ["ProfitBroker", "ProfitConfig", "ProfitSession", "ProfitStream", "credentials"]

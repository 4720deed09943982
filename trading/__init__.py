"""The loop, free of Ray: trader, orders, journal, paper broker, backtest, reports."""

"""How a result is judged: splits, metrics, the promotion gate."""

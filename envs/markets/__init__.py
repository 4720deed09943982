"""Where the simulator's prices come from: laws, an order book, recordings."""

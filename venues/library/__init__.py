"""The library of recorded markets: what ``pregao data`` does."""

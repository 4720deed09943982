"""Leases, limits and breakers: what the portfolio allows. No I/O."""

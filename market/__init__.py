"""The vocabulary of the floor: events, tapes, instruments, orders, account, execution."""

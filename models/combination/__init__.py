"""How members' probabilities become the ensemble's: votes, stacks, switches, and silence."""

"""Who decides size and exit: baselines, the network, RLlib training, the exported form."""

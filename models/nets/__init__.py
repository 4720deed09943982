"""Members that are torch networks: one training loop, one network a file, exported node by node."""

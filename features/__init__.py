"""One compiled streaming feature engine, labels, and the dataset made of both."""

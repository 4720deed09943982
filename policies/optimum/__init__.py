"""Problems that have an exact answer, and the answer: what a trained policy is held against."""

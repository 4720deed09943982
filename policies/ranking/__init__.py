"""Training held against exact optima: the same exams for any set of parameters."""

"""What is measured, how it is shown, and when it raises an alarm."""

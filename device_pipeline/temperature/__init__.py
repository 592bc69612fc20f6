"""Body or skin temperature over time."""

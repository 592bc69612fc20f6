"""The questions a clinic may ask, one to a file."""

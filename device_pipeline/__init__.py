"""Samples to alerts and day summaries, entirely on the device, with no network."""

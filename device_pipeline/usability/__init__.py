"""Whether ten seconds of an ECG can be read."""

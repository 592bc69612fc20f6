"""Whether ten seconds of an ECG or a PPG can be read."""

"""Breaths a minute, from the traces that breathing leaves in ECG and PPG."""

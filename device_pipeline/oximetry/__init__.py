"""Oxygen saturation: windows, and the drops in it."""

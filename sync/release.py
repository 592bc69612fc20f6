"""Release: the one type with an encoder. What leaves the device is a Release or nothing.

This module imports nothing of ours, so that whoever sends a Release cannot reach what it was made from.
"""

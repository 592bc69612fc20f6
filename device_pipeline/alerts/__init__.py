"""Warnings to the wearer: rules as a table, with hold and hysteresis."""

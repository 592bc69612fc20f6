"""The outbox: an SQLite file of its own that holds sealed Releases and control messages of the same size.

It is all that the sending process may open, and this module imports nothing that sees the wearer.
"""

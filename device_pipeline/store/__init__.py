"""The wearer's own encrypted database."""

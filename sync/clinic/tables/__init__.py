"""The clinic's tables, each in a file: what may be asked of it and written to it, within a transaction."""

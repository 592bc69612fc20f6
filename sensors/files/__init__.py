"""One reader per file format; each yields the same three types as a live sensor."""

"""Beat detection, one file per kind of signal."""

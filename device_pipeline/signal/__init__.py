"""Signal processing with carried state: arrays in, arrays out."""

"""Bytes in, `Samples | Reading | Gap` out; nothing of ours is imported here."""

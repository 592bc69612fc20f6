"""Features in, `Score` out; nothing of ours is imported here."""

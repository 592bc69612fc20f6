"""Which version of each model is in service, which waits, which was before, and which serves cards."""

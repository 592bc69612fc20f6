"""Its own process: carries sealed bytes from the outbox to the clinic, and sees nothing else."""

"""What keeps a small machine from growing too hot, and its battery from running out."""

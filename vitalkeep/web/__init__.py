"""The local app, on the loopback interface only."""

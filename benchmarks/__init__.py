"""Side-by-side runs against other tools, each in a process of its own, on the same signals, one after the other."""

"""What the exit codes mean; the help of every command names those it uses."""

OK = 0
FAILED = 1  # an input was wrong, or one of several records failed; what could be done was done
USAGE = 2  # the command line itself is wrong (click's own code)
STORE = 3  # the store cannot be used: wrong key, locked by another process, damaged, disk full
CONFIG = 4  # the configuration file is wrong
INTERNAL = 70  # our mistake, please report it
INTERRUPTED = 130  # stopped by Ctrl-C before it was done

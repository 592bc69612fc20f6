"""The face: command line and local app. It wires; it decides nothing."""

"""What the wearer does, from the accelerometer."""

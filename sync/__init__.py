"""What may leave the device, and how; nothing leaves unless the wearer opts in."""

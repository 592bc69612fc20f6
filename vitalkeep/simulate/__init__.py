"""Virtual sensors, to develop without hardware. A process of its own: it has a radio and sees no store."""

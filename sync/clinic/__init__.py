"""The optional server of a clinic; it shares no code with the room that sees the wearer."""

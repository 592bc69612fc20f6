"""How unlike the wearer's own beats those of a minute look."""

"""How each file of weights was made; never imported at run time."""

"""How right we are: figures against reference annotations, as the standards define them."""

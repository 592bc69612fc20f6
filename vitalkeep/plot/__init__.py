"""Pictures of one record: what was found in it, drawn for whoever reads hearts."""

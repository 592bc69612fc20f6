"""FHIR R4 (4.0.1) as plain dicts, made by pure functions: what stands in them was computed in card.py, not here."""

"""What other programs read of the clinic: FHIR, CSV, counts for Prometheus. Noisy figures only, never a bare one."""

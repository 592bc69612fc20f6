"""The wearer's own days, and which of them is unlike the others."""

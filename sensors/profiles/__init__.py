"""GATT and vendor profiles, one file each: pure, total, no clock."""

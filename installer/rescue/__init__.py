"""Finding, mounting and repairing installed systems."""

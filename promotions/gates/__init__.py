"""May this artifact move? Pure checks: evidence in, verdict with its reason out."""

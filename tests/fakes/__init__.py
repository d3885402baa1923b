"""Servers that speak real HTTP on loopback and misbehave on request."""

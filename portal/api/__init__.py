"""What do scripts and CI ask of the portal? The REST API under /api/v1/."""

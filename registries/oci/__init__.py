"""How do we speak to one registry? The OCI Distribution protocol as values, one thread-safe client, and one copy algorithm."""

"""The portal as it might be after an upgrade: the same code with one migration more, on the very rows that tokens are made from."""

"""What do people see? The map, the pages of every noun, search, my access and the inbox, composed from rows alone."""

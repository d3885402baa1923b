"""Why so, what lost, what would have to change, and who can change it?"""

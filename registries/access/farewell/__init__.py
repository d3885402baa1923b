"""What hangs on a person who leaves, and what becomes of it?"""

"""What runs, how far, how long, and why did it fail?"""

"""What was asked of the token endpoint, how often, and what came of it?"""

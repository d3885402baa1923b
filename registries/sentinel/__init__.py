"""What moved or appeared that nobody asked for?"""

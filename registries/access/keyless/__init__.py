"""Which CI jobs may act as which robot, by what their platform says of them?"""

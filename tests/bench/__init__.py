"""How fast is it, on this machine, against a yardstick measured in the same run?"""

"""A warm worker for functions in Python: the standard library alone, and whatever the user's interpreter has."""

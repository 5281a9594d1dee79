"""Calls of services straight at their instances; the public part is ``pilothouse.direct``."""

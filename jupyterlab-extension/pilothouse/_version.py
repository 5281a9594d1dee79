"""The version of the package, kept equal to that of the npm packages."""

__version__ = "0.1.0"

#: Version of the calls between clients and Pilothouse; both sides must speak the same.
PROTOCOL = 1

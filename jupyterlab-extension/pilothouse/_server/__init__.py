"""The extension of the Jupyter server: finds or starts Pilothouse, and carries the browser's bytes to it."""

from .extension import add_handlers

__all__ = ["add_handlers"]

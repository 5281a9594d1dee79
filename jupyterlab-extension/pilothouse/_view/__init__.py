"""Live views in notebook cells: one bundle, shown once, kept current by whoever draws it."""

from .show import show_live

__all__ = ["show_live"]

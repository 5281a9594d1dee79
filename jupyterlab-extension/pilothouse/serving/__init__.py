"""Services of one's own: write a class, call it from anywhere.

Example:
    .. code-block:: python

        from pilothouse.serving import Service

        class DoseResponse(Service):
            async def fit(self, dose: list[float], response: list[float]) -> dict[str, float]:
                ...

        if __name__ == "__main__":
            DoseResponse().serve()
"""

from ._calls import CurrentCall, current_call
from ._methods import method
from .service import Service, Serving, serve

__all__ = ["CurrentCall", "Service", "Serving", "current_call", "method", "serve"]

"""Ray Serve: a deployment that gives back what it gets, over its HTTP proxy."""

import os

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_SERVE_LOG_TO_STDERR"] = "0"

import ray
from load import free_port, measure
from ray import serve
from starlette.requests import Request

port = free_port()
ray.init(num_cpus=4, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": port})


@serve.deployment(max_ongoing_requests=64)
class Noop:
    """Does nothing."""

    async def __call__(self, request: Request) -> object:
        """Gives it back."""
        return await request.json()


serve.run(Noop.bind())
measure(port, "/", {"x": [1, 2, 3], "text": "noop"})
serve.shutdown()
ray.shutdown()

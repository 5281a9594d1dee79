"""Ray: calls of remote functions, and of a warm actor per core."""

import os
import sys
import time

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from peer import report

CALLS = int(sys.argv[3])
cores = os.cpu_count() or 2
ray.init(num_cpus=cores, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)


@ray.remote
def nothing() -> None:
    return None


@ray.remote
class Actor:
    def nothing(self) -> None:
        return None


def rate(call, count: int) -> float:
    start = time.perf_counter()
    ray.get([call(number) for number in range(count)])
    return count / (time.perf_counter() - start)


actors = [Actor.remote() for _ in range(cores)]
rate(lambda number: nothing.remote(), 100)
rate(lambda number: actors[number % cores].nothing.remote(), 100)
figures = {
    "functions_per_s": rate(lambda number: nothing.remote(), CALLS),
    "actor_calls_per_s": rate(lambda number: actors[number % cores].nothing.remote(), CALLS),
}
ray.shutdown()
report(**figures)

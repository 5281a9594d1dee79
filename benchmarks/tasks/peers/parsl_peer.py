"""Parsl's high-throughput executor with as many workers as tasks may run at once."""

import os
import sys
import tempfile
import time

os.chdir(tempfile.mkdtemp(prefix="parsl-"))

import parsl  # noqa: E402
from parsl import bash_app, python_app  # noqa: E402
from parsl.config import Config  # noqa: E402
from parsl.executors import HighThroughputExecutor  # noqa: E402
from parsl.providers import LocalProvider  # noqa: E402
from peer import report  # noqa: E402

TASKS = int(sys.argv[1])
IN_FLIGHT = int(sys.argv[2])
CALLS = int(sys.argv[3])


@bash_app
def true() -> str:
    return "/bin/true"


@python_app
def nothing() -> None:
    return None


def rate(app, count: int) -> float:
    start = time.perf_counter()
    for future in [app() for _ in range(count)]:
        future.result()
    return count / (time.perf_counter() - start)


def loaded(workers: int) -> None:
    parsl.load(
        Config(
            executors=[
                HighThroughputExecutor(
                    address="127.0.0.1",
                    encrypted=False,
                    max_workers_per_node=workers,
                    provider=LocalProvider(init_blocks=1, max_blocks=1),
                )
            ],
            usage_tracking=0,
            strategy="none",
        )
    )


loaded(IN_FLIGHT)
rate(true, 50)
tasks_per_s = rate(true, TASKS)
parsl.dfk().cleanup()
parsl.clear()
loaded(os.cpu_count() or 2)
rate(nothing, 50)
functions_per_s = rate(nothing, CALLS)
parsl.dfk().cleanup()
report(tasks_per_s=tasks_per_s, functions_per_s=functions_per_s)

"""Dask distributed with one single-threaded worker per core: function calls (it has no tasks that are processes)."""

import os
import sys
import time

from distributed import Client, LocalCluster
from peer import report


def nothing(number: int) -> None:
    return None


if __name__ == "__main__":
    calls = int(sys.argv[3])
    with (
        LocalCluster(
            n_workers=os.cpu_count(), threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        Client(cluster) as client,
    ):
        client.gather(client.map(nothing, range(50), pure=False))
        start = time.perf_counter()
        client.gather(client.map(nothing, range(calls), pure=False))
        report(functions_per_s=calls / (time.perf_counter() - start))

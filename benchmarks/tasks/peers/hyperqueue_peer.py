"""HyperQueue's server and one worker in this process, by its own Python interface."""

import sys
import tempfile
import time
from pathlib import Path

from hyperqueue import LocalCluster
from hyperqueue.cluster import WorkerConfig
from hyperqueue.job import Job
from peer import report

TASKS = int(sys.argv[1])
IN_FLIGHT = int(sys.argv[2])
folder = Path(tempfile.mkdtemp(prefix="hq-"))

with LocalCluster() as cluster:
    cluster.start_worker(WorkerConfig(cores=IN_FLIGHT))
    client = cluster.client()

    def rate(count: int) -> float:
        job = Job(default_workdir=folder)
        for _ in range(count):
            job.program(["/bin/true"])
        start = time.perf_counter()
        client.wait_for_jobs([client.submit(job)])
        return count / (time.perf_counter() - start)

    rate(20)
    report(tasks_per_s=rate(TASKS))

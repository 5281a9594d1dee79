"""RADICAL-Pilot on this machine: /bin/true in one bulk, by its documented local resource."""

import os
import sys
import tempfile
import time

os.environ.update(
    RADICAL_REPORT="FALSE", RADICAL_LOG_LVL="ERROR", RADICAL_DEFAULT_IFACE="lo", HOME=tempfile.mkdtemp(prefix="rp-")
)
os.chdir(os.environ["HOME"])

import radical.pilot as rp  # noqa: E402
from peer import report  # noqa: E402

TASKS = int(sys.argv[1])
IN_FLIGHT = int(sys.argv[2])

session = rp.Session()
try:
    pilots = rp.PilotManager(session=session)
    tasks = rp.TaskManager(session=session)
    pilot = pilots.submit_pilots(
        rp.PilotDescription({"resource": "local.localhost", "cores": IN_FLIGHT, "runtime": 20, "exit_on_error": False})
    )
    tasks.add_pilots(pilot)
    pilot.wait(rp.PMGR_ACTIVE, timeout=120)

    def bulk(count: int) -> float:
        start = time.perf_counter()
        made = tasks.submit_tasks([rp.TaskDescription({"executable": "/bin/true"}) for _ in range(count)])
        states = tasks.wait_tasks(uids=[task.uid for task in made], timeout=300)
        elapsed = time.perf_counter() - start
        assert all(state == rp.DONE for state in states), states
        return count / elapsed

    bulk(10)
    report(tasks_per_s=bulk(TASKS))
finally:
    session.close(download=False)

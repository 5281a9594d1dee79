"""The warden: spawns for the agent of one pilot, and keeps what happened to what it spawned.

Two processes, each of which restores the other:

- The *keeper* only waits. It holds the listening socket, reaps what loses its parent, and starts the server again.
- The *server*, a child of the keeper, speaks with the agent, spawns, ends, and starts the agent again.

If the server is killed, its children become the keeper's (a sub-reaper), which writes down how they end, and a new
server reads on from the ledger. If the keeper is killed, the server takes its part and forks a new server.

What loses both parents, because the pair was hit one after the other, is watched by pidfd; see `foreign.py` for what an
older kernel cannot say about it. When both are killed at the same moment the agent starts
another pair, which reads the same ledger.

What was spawned, and how it ended, stands in files in the runtime folder, which is local to the node: they must
outlive a killed process, not the node.
"""

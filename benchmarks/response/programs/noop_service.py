"""A service of one's own that gives back what it gets; says how it is reached, and ends with its input."""

import asyncio
import json
import sys
from typing import Any

from pilothouse.serving import Service, Serving


class Noop(Service):
    """Does nothing."""

    async def call(self, value: Any, /) -> Any:
        """Gives it back."""
        return value


def say(serving: Serving) -> None:
    """How it is reached, for who has started it."""
    found = {"address": serving.address, "serverKey": serving.server_key, "keyFile": str(serving.key_file)}
    print(json.dumps(found), file=sys.stderr, flush=True)


async def main() -> None:
    """Until the input ends."""
    ready: asyncio.Future[Serving] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(Noop().serve_forever(on_ready=ready.set_result))
    serving = await ready
    say(serving)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serving.end()
    await task


asyncio.run(main())

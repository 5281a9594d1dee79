"""Stands behind the relay in tests: answers WebSocket messages on the socket that Pilothouse would have.

Text commands: `headers`, `uri`, `close CODE REASON`, `last-close`, `flood COUNT` (64 KiB each), `sent`; anything else
comes back as it is.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tornado import netutil, web, websocket
from tornado.httpserver import HTTPServer

BLOCK = bytes(64 * 1024)


class Echo(websocket.WebSocketHandler):
    last_close: tuple[int | None, str | None] = (None, None)
    sent = 0

    def check_origin(self, origin: str) -> bool:
        return True

    def open(self, *args: str, **kwargs: str) -> None:
        # Sent at once, so that it is glued to the handshake.
        self.write_message("welcome")

    async def on_message(self, message: str | bytes) -> None:
        words = message.split(" ") if isinstance(message, str) else []
        match words:
            case ["headers"]:
                await self.write_message(json.dumps(dict(self.request.headers.get_all())))
            case ["uri"]:
                await self.write_message(self.request.uri or "")
            case ["close", code, reason]:
                self.close(int(code), reason)
            case ["last-close"]:
                await self.write_message(json.dumps(Echo.last_close))
            case ["sent"]:
                await self.write_message(str(Echo.sent))
            case ["flood", count]:
                Echo.sent = 0
                for _ in range(int(count)):
                    await self.write_message(BLOCK, binary=True)
                    Echo.sent += 1
            case _:
                await self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        Echo.last_close = (self.close_code, self.close_reason)


async def main() -> None:
    runtime = Path(os.environ["PILOTHOUSE_RUNTIME_DIR"])
    if (runtime / "refuse").exists():
        sys.exit("first line\nthe disk is full")
    with (runtime / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    (runtime / "env").write_text("\n".join(sorted(os.environ)))
    server = HTTPServer(web.Application([("/ws", Echo)], websocket_max_message_size=64 * 1024 * 1024))
    server.add_socket(netutil.bind_unix_socket(str(runtime / "bridge.sock"), mode=0o600))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())

"""An instance that does nothing: answers every request with 200, after as long as a model takes to load.

noop.py PORT [SECONDS]
"""

import socket
import sys
import time

if len(sys.argv) > 2:
    time.sleep(float(sys.argv[2]))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(16)
while True:
    client, _ = server.accept()
    if client.recv(4096):
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    client.close()

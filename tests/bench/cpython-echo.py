# cpython-echo.py - the same service in Python's socketserver
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run: cpython-echo.py inline|threading|forking|udp

import socket
import socketserver
import sys


class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while chunk := self.request.recv(16384):
            self.request.sendall(chunk)


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        packet, listener = self.request
        listener.sendto(packet, self.client_address)


socketserver.TCPServer.request_queue_size = 4096
kind, server_class, handler = {
    'inline': ('tcp', socketserver.TCPServer, Stream),
    'threading': ('tcp', socketserver.ThreadingTCPServer, Stream),
    'forking': ('tcp', socketserver.ForkingTCPServer, Stream),
    'udp': ('udp', socketserver.UDPServer, Datagram),
}[sys.argv[1]]
with server_class(('127.0.0.1', 0), handler) as server:
    print(f'listening on {kind}:127.0.0.1:{server.server_address[1]}',
          flush=True)
    server.serve_forever()

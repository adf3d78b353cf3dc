# cpython-echo.py - the same service in Python's socketserver
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run: cpython-echo.py inline|threading|forking stream|lines|udp

import socket
import socketserver
import sys


class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while chunk := self.request.recv(16384):
            self.request.sendall(chunk)


class Lines(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        packet, listener = self.request
        listener.sendto(packet, self.client_address)


socketserver.TCPServer.request_queue_size = 4096
kind, handler = {
    'stream': ('tcp', Stream),
    'lines': ('tcp', Lines),
    'udp': ('udp', Datagram),
}[sys.argv[2]]
server_class = {
    ('inline', 'tcp'): socketserver.TCPServer,
    ('inline', 'udp'): socketserver.UDPServer,
    ('threading', 'tcp'): socketserver.ThreadingTCPServer,
    ('threading', 'udp'): socketserver.ThreadingUDPServer,
    ('forking', 'tcp'): socketserver.ForkingTCPServer,
}[sys.argv[1], kind]
with server_class(('127.0.0.1', 0), handler) as server:
    print(f'listening on {kind}:127.0.0.1:{server.server_address[1]}',
          flush=True)
    server.serve_forever()

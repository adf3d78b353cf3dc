# asyncio-echo.py - the same service in Python's asyncio, with streams
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import asyncio


async def serve(reader, writer):
    try:
        while chunk := await reader.read(16384):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    print(f'listening on tcp:127.0.0.1:{port}', flush=True)
    await server.serve_forever()


asyncio.run(main())

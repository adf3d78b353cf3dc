// vala-echo.vala - the bindings at work: an echo service in Vala
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Shows: a handler as a subclass, a server with a thread for each client.
// Run: samples/vala-echo tcp:127.0.0.1:9999, then `nc 127.0.0.1 9999`.
// One sees: every line comes back, until the client ends.
// In Python: class EchoHandler(socketserver.StreamRequestHandler)

public class EchoHandler : SocketServer.StreamRequestHandler
{
  const size_t LONGEST_LINE = 65536;

  public override bool handle () throws Error
  {
    unowned var rfile = this.get_rfile ();
    unowned var wfile = this.get_wfile ();

    for (;;)
      {
        var line = rfile.read_line (LONGEST_LINE);

        if (line == null)
          return true;
        wfile.write_bytes (line);
      }
  }
}

public static int
main (string[] args)
{
  if (args.length > 2)
    {
      stderr.printf ("Usage: %s [ENDPOINT]\n", args[0]);
      return 2;
    }

  try
    {
      var where = args.length > 1 ? args[1] : "tcp:127.0.0.1:9999";
      var server = SocketServer.create_server (
        where,
        typeof (EchoHandler),
        new SocketServer.ThreadingMixIn ());

      SocketServer.signals_bind (server);
      stdout.printf ("listening on %s\n", server.dup_endpoint ());
      stdout.flush ();
      server.serve_forever ();
      server.server_close ();
    }
  catch (Error error)
    {
      stderr.printf ("%s: %s\n", args[0], error.message);
      return 1;
    }
  return 0;
}

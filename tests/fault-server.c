/* fault-server.c - an echo service with any settings, for the fault tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Run: fault-server ENDPOINT inline|threading|forking [PROPERTY=VALUE]...
 *
 * A property is the server's or the mix-in's, a value a number. Prints
 * `listening on ENDPOINT` when it is ready and `cut NUMBER` at its end; ends on
 * SIGTERM.
 */

#include <socketserver-handlers.h>
#include <stdio.h>
#include <string.h>

static gboolean
set_property (GObject *object, const char *name, const char *value)
{
  GParamSpec *pspec;
  g_auto (GValue) source = G_VALUE_INIT;
  g_auto (GValue) target = G_VALUE_INIT;

  if (object == NULL)
    return FALSE;
  pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (object), name);
  if (pspec == NULL)
    return FALSE;
  g_value_init (&source, G_TYPE_INT);
  g_value_set_int (&source, (int) g_ascii_strtoll (value, NULL, 10));
  g_value_init (&target, pspec->value_type);
  if (!g_value_transform (&source, &target))
    return FALSE;
  g_object_set_property (object, name, &target);
  return TRUE;
}

static gboolean
apply (SrvBaseServer *server, SrvMixIn *mix_in, const char *setting)
{
  g_auto (GStrv) parts = g_strsplit (setting, "=", 2);

  if (g_strv_length (parts) == 2 &&
      (set_property ((GObject *) mix_in, parts[0], parts[1]) ||
       set_property ((GObject *) server, parts[0], parts[1])))
    return TRUE;
  g_printerr ("cannot set %s\n", setting);
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvMixIn) mix_in = NULL;
  g_autoptr (SrvBaseServer) server = NULL;
  g_autofree char *endpoint = NULL;

  if (argc < 3)
    return 64;
  if (strcmp (argv[2], "threading") == 0)
    mix_in = srv_threading_mix_in_new ();
  else if (strcmp (argv[2], "forking") == 0)
    mix_in = srv_forking_mix_in_new ();
  else if (strcmp (argv[2], "fibers") == 0)
    mix_in = srv_fiber_mix_in_new ();
  server = srv_create_server (argv[1], SRV_TYPE_ECHO_HANDLER, mix_in, &error);
  if (server == NULL || !srv_signals_bind (server, &error))
    {
      g_printerr ("%s\n", error->message);
      return 69;
    }
  for (int i = 3; i < argc; i++)
    {
      if (!apply (server, mix_in, argv[i]))
        return 64;
    }
  endpoint = srv_base_server_dup_endpoint (server);
  printf ("listening on %s\n", endpoint);
  fflush (stdout);
  if (!srv_base_server_serve_forever (server, &error))
    g_printerr ("%s\n", error->message);
  printf ("cut %u\n", srv_base_server_server_close (server));
  return error == NULL ? 0 : 70;
}

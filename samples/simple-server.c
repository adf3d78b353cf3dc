/* simple-server.c - discard and chargen, which test networks, and finger
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a choice of handlers; limits on bytes and on time, without which
 *        none of these services should be anywhere.
 * Run:   simple-server --service chargen --max-bytes 1000
 *        then, elsewhere: nc 127.0.0.1 9999
 * See:   lines of characters, or with `discard` nothing at all. With `finger`
 *        and --plans FILE, a line with a name gets the text that FILE has.
 *
 * In Python:
 *
 *   class Discard(socketserver.BaseRequestHandler):
 *       def handle(self):
 *           while self.request.recv(4096):
 *               pass
 *
 *   with socketserver.TCPServer(("127.0.0.1", 9999), Discard) as s:
 *       s.serve_forever()
 */

#include "sample-server.h"

#include <string.h>
#include <sysexits.h>

static const char *const services[] = { "discard", "chargen", "finger", NULL };

static char *service;
static char *plans_path;
static GHashTable *plans;     /* of char by char; NULL: nobody is known */
static gint64 max_bytes = -1; /* below 0: the handler's own */
static int max_time_s = -1;

static const GOptionEntry entries[] = {
  { "service", 's', 0, G_OPTION_ARG_STRING, &service,
    "discard (default), chargen or finger", "NAME" },
  { "plans", 'p', 0, G_OPTION_ARG_FILENAME, &plans_path,
    "finger: a key file with a text for each name, in the group [plans]",
    "FILE" },
  { "max-bytes", 'b', 0, G_OPTION_ARG_INT64, &max_bytes,
    "The most bytes of a connection; 0: no limit", "BYTES" },
  { "max-time", 't', 0, G_OPTION_ARG_INT, &max_time_s,
    "How long a connection may last; 0: no limit", "SECONDS" },
  G_OPTION_ENTRY_NULL,
};

typedef SrvDiscardHandler DiscardHandler;
typedef SrvDiscardHandlerClass DiscardHandlerClass;
typedef SrvChargenHandler ChargenHandler;
typedef SrvChargenHandlerClass ChargenHandlerClass;
typedef SrvFingerHandler FingerHandler;
typedef SrvFingerHandlerClass FingerHandlerClass;

GType discard_handler_get_type (void);
GType chargen_handler_get_type (void);
GType finger_handler_get_type (void);

G_DEFINE_TYPE (DiscardHandler, discard_handler, SRV_TYPE_DISCARD_HANDLER)
G_DEFINE_TYPE (ChargenHandler, chargen_handler, SRV_TYPE_CHARGEN_HANDLER)
G_DEFINE_TYPE (FingerHandler, finger_handler, SRV_TYPE_FINGER_HANDLER)

/* They have the same limits, but a question is short by itself. */
static void
set_limits (gpointer handler)
{
  if (max_bytes >= 0 && !SRV_IS_FINGER_HANDLER (handler))
    g_object_set (handler, "max-bytes", (guint64) max_bytes, NULL);
  if (max_time_s >= 0)
    g_object_set (handler, "max-time",
                  (guint) MIN (max_time_s, G_MAXINT / 1000) * 1000, NULL);
}

static void
discard_handler_class_init (G_GNUC_UNUSED DiscardHandlerClass *klass)
{
}

static void
discard_handler_init (DiscardHandler *self)
{
  set_limits (self);
}

static void
chargen_handler_class_init (G_GNUC_UNUSED ChargenHandlerClass *klass)
{
}

static void
chargen_handler_init (ChargenHandler *self)
{
  set_limits (self);
}

static void
finger_handler_class_init (G_GNUC_UNUSED FingerHandlerClass *klass)
{
}

static void
finger_handler_init (FingerHandler *self)
{
  g_object_set (self, "plans", plans, NULL);
  set_limits (self);
}

static gboolean
load_plans (GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) names = NULL;

  if (g_key_file_load_from_file (file, plans_path, G_KEY_FILE_NONE, error))
    names = g_key_file_get_keys (file, "plans", NULL, error);
  if (names == NULL)
    {
      g_prefix_error (error, "could not read %s: ", plans_path);
      return FALSE;
    }
  plans = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (char **name = names; *name != NULL; name++)
    {
      char *plan = g_key_file_get_string (file, "plans", *name, error);

      if (plan == NULL)
        return FALSE;
      g_hash_table_replace (plans, g_strdup (*name), plan);
    }
  return TRUE;
}

static gboolean
check_options (GError **error)
{
  if (service == NULL)
    service = g_strdup (services[0]);
  if (!g_strv_contains (services, service))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "unknown service \"%s\"; there are discard, chargen and "
                   "finger",
                   service);
      return FALSE;
    }
  return plans_path == NULL || load_plans (error);
}

static int
run (SampleServer *sample)
{
  g_autoptr (GError) error = NULL;

  if (!check_options (&error))
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      return EX_USAGE;
    }
  if (strcmp (service, "chargen") == 0)
    return sample_server_run (sample, chargen_handler_get_type (),
                              G_TYPE_INVALID);
  if (strcmp (service, "finger") == 0)
    return sample_server_run (sample, finger_handler_get_type (),
                              G_TYPE_INVALID);
  /* A plain handler takes a datagram and answers nothing. */
  return sample_server_run (sample, discard_handler_get_type (),
                            SRV_TYPE_DATAGRAM_REQUEST_HANDLER);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Throws away what comes, sends characters without end, "
                       "or tells about people.",
                       entries);
  int exit_status;

  if (sample_server_parse (sample, &argc, &argv, &exit_status))
    exit_status = run (sample);
  g_clear_pointer (&plans, g_hash_table_unref);
  g_free (plans_path);
  g_free (service);
  return exit_status;
}

/* sample-client.c - what all sample clients have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The options, the questions on a terminal, connecting to any endpoint, the
 * four events, showing replies, and the exit status.
 */

#include "sample-client.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DEFAULT_HOST      "127.0.0.1"
#define DEFAULT_PORT      "9999"
#define DEFAULT_ENDPOINT  "tcp:" DEFAULT_HOST ":" DEFAULT_PORT
#define DEFAULT_TIMEOUT_S 10.0
#define MAX_TIMEOUT_S     86400.0
#define MAX_ATTEMPTS      3
#define MAX_SHOWN_LINE    4096

struct _SampleClient
{
  GOptionContext *context;
  double timeout_s;
  gboolean quiet;
  gboolean version;

  char *endpoint;
  gboolean takes_arguments; /* after the endpoint */
  gboolean hides_traffic;
  gboolean is_datagram;
  GSocket *socket; /* NULL until connected */
  guint64 n_sent;
  guint64 n_received;

  GString *line; /* on a terminal, what has come of the current line */
};

static void G_GNUC_PRINTF (2, 3)
  tell (SampleClient *self, const char *format, ...)
{
  g_autofree char *event = NULL;
  va_list args;

  if (self->quiet)
    return;
  va_start (args, format);
  event = g_strdup_vprintf (format, args);
  va_end (args);
  g_printerr ("%s\n", event);
}

static void
add_options (SampleClient *self)
{
  const GOptionEntry entries[] = {
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &self->timeout_s,
      "Longest wait for the server (default: 10)", "SECONDS" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &self->quiet, "Show no events",
      NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &self->version,
      "Show the version and exit", NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_add_main_entries (self->context, entries, NULL);
}

/* On a terminal, one read gives one line. NULL at the end of the input. */
static char *
ask (const char *question, const char *preset)
{
  char answer[256];
  gssize n;

  g_printerr ("%s [%s]: ", question, preset);
  n = read (STDIN_FILENO, answer, sizeof answer - 1);
  if (n <= 0)
    return NULL;
  answer[n] = '\0';
  g_strstrip (answer);
  return g_strdup (*answer != '\0' ? answer : preset);
}

/* Asks again after a wrong answer, but not forever. */
static char *
ask_endpoint (GError **error)
{
  for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++)
    {
      g_autofree char *host = ask ("Host", DEFAULT_HOST);
      g_autofree char *port = host != NULL ? ask ("Port", DEFAULT_PORT) : NULL;
      g_autofree char *string = NULL;
      g_autoptr (SrvEndpoint) endpoint = NULL;
      g_autoptr (GError) problem = NULL;

      if (port == NULL)
        break;
      string = strchr (host, ':') != NULL
                 ? g_strdup_printf ("tcp:[%s]:%s", host, port)
                 : g_strdup_printf ("tcp:%s:%s", host, port);
      endpoint = srv_endpoint_parse (string, &problem);
      if (endpoint != NULL && strcmp (port, "0") != 0)
        return g_steal_pointer (&string);
      g_printerr ("%s\n",
                  problem != NULL ? problem->message : "port 0 is nobody's");
    }
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                       "no host and port were given");
  return NULL;
}

static gboolean
choose_endpoint (SampleClient *self, int argc, char **argv, GError **error)
{
  if (argc > 2 && !self->takes_arguments)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                 "unexpected argument \"%s\"; try --help", argv[2]);
  else if (!(self->timeout_s > 0 && self->timeout_s <= MAX_TIMEOUT_S))
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "the timeout must be above 0 and at most %.0f seconds",
                 MAX_TIMEOUT_S);
  else if (argc >= 2)
    self->endpoint = g_strdup (argv[1]);
  else if (isatty (STDIN_FILENO))
    self->endpoint = ask_endpoint (error);
  else
    self->endpoint = g_strdup (DEFAULT_ENDPOINT);
  return self->endpoint != NULL;
}

static int
exit_status_of (SampleClient *self, const GError *error)
{
  if (error == NULL)
    return EX_OK;
  if (error->domain == G_OPTION_ERROR ||
      g_error_matches (error, SRV_ERROR, SRV_ERROR_BAD_ENDPOINT))
    return EX_USAGE;
  if (error->domain == SRV_ERROR)
    return EX_DATAERR;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return EX_TEMPFAIL;
  if (self->socket == NULL ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return EX_UNAVAILABLE;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    return EX_NOPERM;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    return EX_PROTOCOL;
  return EX_IOERR;
}

static gboolean
flush_output (GError **error)
{
  if (fflush (stdout) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               "could not write to standard output: %s", g_strerror (errno));
  return FALSE;
}

/* Text of the server must not be able to steer the terminal. */
static void
show_line (SampleClient *self, gsize length)
{
  g_autofree char *text = srv_escape (self->line->str, (gssize) length);

  puts (text);
}

/* Whole lines only: a chunk may end in the middle of a character. */
static void
show_lines (SampleClient *self)
{
  const char *newline;

  while ((newline = memchr (self->line->str, '\n', self->line->len)) != NULL)
    {
      gsize length = (gsize) (newline - self->line->str);

      show_line (self, length);
      g_string_erase (self->line, 0, (gssize) length + 1);
    }
  if (self->line->len < MAX_SHOWN_LINE)
    return;
  show_line (self, self->line->len);
  g_string_truncate (self->line, 0);
}

static SampleClient *
create (const char *arguments, const char *summary)
{
  SampleClient *self = g_new0 (SampleClient, 1);

  self->timeout_s = DEFAULT_TIMEOUT_S;
  self->line = g_string_new (NULL);
  self->context = g_option_context_new (arguments);
  g_option_context_set_summary (self->context, summary);
  g_option_context_set_description (
    self->context,
    "Endpoints: tcp:HOST:PORT, udp:HOST:PORT, unix:PATH, unixgram:PATH,\n"
    "unix:@NAME. Without one, asks for host and port if the input is a\n"
    "terminal, and takes " DEFAULT_ENDPOINT " otherwise.\n\n"
    "The line `exit' ends the input. Replies go to standard output, events\n"
    "to standard error.\n\n"
    "Exit status: 0 everything came back, 64 wrong usage, 69 refused or\n"
    "cannot connect, 74 other trouble, 75 timeout, 76 cut off before\n"
    "everything came back.\n");
  add_options (self);
  return self;
}

SampleClient *
sample_client_new (const char *summary)
{
  return create ("[ENDPOINT]", summary);
}

/* What comes after the endpoint stays in argv, from 2 on. */
SampleClient *
sample_client_new_with_arguments (const char *arguments, const char *summary)
{
  SampleClient *self = create (arguments, summary);

  self->takes_arguments = TRUE;
  return self;
}

void
sample_client_free (SampleClient *self)
{
  g_option_context_free (self->context);
  g_string_free (self->line, TRUE);
  g_clear_object (&self->socket);
  g_free (self->endpoint);
  g_free (self);
}

/* Options of a client's own, and what else its --help says. */
void
sample_client_describe (SampleClient *self,
                        const GOptionEntry *entries,
                        const char *description)
{
  g_option_context_add_main_entries (self->context, entries, NULL);
  g_option_context_set_description (self->context, description);
}

/* No events, for a program that needs the terminal. */
void
sample_client_set_quiet (SampleClient *self)
{
  self->quiet = TRUE;
}

gboolean
sample_client_is_quiet (SampleClient *self)
{
  return self->quiet;
}

/* No event for each piece, for a program that shows by itself how far it is. */
void
sample_client_hide_traffic (SampleClient *self)
{
  self->hides_traffic = TRUE;
}

/* FALSE when the program shall end now, with @exit_status. */
gboolean
sample_client_parse (SampleClient *self,
                     int *argc,
                     char ***argv,
                     int *exit_status)
{
  g_autoptr (GError) error = NULL;

  if (!g_option_context_parse (self->context, argc, argv, &error) ||
      (!self->version && !choose_endpoint (self, *argc, *argv, &error)))
    {
      *exit_status = sample_client_end (self, error);
      return FALSE;
    }
  if (self->version)
    {
      g_print ("%s %s\n", g_get_prgname (), SRV_VERSION_S);
      *exit_status = EX_OK;
      return FALSE;
    }
  return TRUE;
}

/* A connection that is not yet the client's; any thread may wait for one. */
GSocket *
sample_client_create_socket (SampleClient *self,
                             GCancellable *cancellable,
                             GError **error)
{
  const int timeout_ms = MAX ((int) (self->timeout_s * 1000), 1);

  return srv_create_socket (self->endpoint, timeout_ms, cancellable, error);
}

/* From now on the client's connection; it takes the place of an old one. */
void
sample_client_take_socket (SampleClient *self, GSocket *socket)
{
  g_clear_object (&self->socket);
  self->socket = socket;
  g_socket_set_blocking (socket, FALSE);
  self->is_datagram = g_socket_get_socket_type (socket) ==
                      G_SOCKET_TYPE_DATAGRAM;
  tell (self, "connected to %s", self->endpoint);
}

gboolean
sample_client_connect (SampleClient *self, GError **error)
{
  GSocket *socket = sample_client_create_socket (self, NULL, error);

  if (socket != NULL)
    sample_client_take_socket (self, socket);
  return socket != NULL;
}

/* Tells how it ended. */
int
sample_client_end (SampleClient *self, const GError *error)
{
  if (self->line->len > 0)
    show_line (self, self->line->len);
  if (self->socket != NULL)
    tell (self,
          "disconnected, %" G_GUINT64_FORMAT " bytes sent, %" G_GUINT64_FORMAT
          " bytes received",
          self->n_sent, self->n_received);
  if (error != NULL)
    g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  return exit_status_of (self, error);
}

gboolean
sample_client_is_datagram (SampleClient *self)
{
  return self->is_datagram;
}

/* Passwords may go as they are to who is on the same machine. */
gboolean
sample_client_is_private (SampleClient *self)
{
  g_autoptr (GSocketAddress) address =
    g_socket_get_remote_address (self->socket, NULL);

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return G_IS_UNIX_SOCKET_ADDRESS (address);
  return g_inet_address_get_is_loopback (
    g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

const char *
sample_client_get_endpoint (SampleClient *self)
{
  return self->endpoint;
}

int
sample_client_get_fd (SampleClient *self)
{
  return g_socket_get_fd (self->socket);
}

double
sample_client_get_timeout (SampleClient *self)
{
  return self->timeout_s;
}

/* Until when the server may stay silent, if it is its turn from now on. */
gint64
sample_client_get_deadline (SampleClient *self)
{
  return g_get_monotonic_time () + (gint64) (self->timeout_s * G_USEC_PER_SEC);
}

/* Never waits: sends what the system takes. */
gssize
sample_client_send (SampleClient *self,
                    const char *data,
                    gsize length,
                    GError **error)
{
  gssize n = g_socket_send (self->socket, data, length, NULL, error);

  if (n < 0)
    return -1;
  self->n_sent += (guint64) n;
  if (!self->hides_traffic)
    tell (self, "sent %" G_GSSIZE_FORMAT " bytes", n);
  return n;
}

/* Never waits either. */
gssize
sample_client_receive (SampleClient *self,
                       char *buffer,
                       gsize size,
                       GError **error)
{
  gssize n = g_socket_receive (self->socket, buffer, size, NULL, error);

  if (n < 0)
    return -1;
  self->n_received += (guint64) n;
  if ((n > 0 || self->is_datagram) && !self->hides_traffic)
    tell (self, "received %" G_GSSIZE_FORMAT " bytes", n);
  return n;
}

gboolean
sample_client_half_close (SampleClient *self, GError **error)
{
  return g_socket_shutdown (self->socket, FALSE, TRUE, error);
}

/* Both halves, at once. */
void
sample_client_hang_up (SampleClient *self)
{
  g_socket_shutdown (self->socket, TRUE, TRUE, NULL);
}

gboolean
sample_client_print (SampleClient *self,
                     const char *reply,
                     gsize length,
                     GError **error)
{
  if (isatty (STDOUT_FILENO))
    {
      g_string_append_len (self->line, reply, (gssize) length);
      show_lines (self);
    }
  else
    fwrite (reply, 1, length, stdout);
  return flush_output (error);
}

/* Whether a line, ended or not, says nothing but `exit`. */
gboolean
sample_client_is_exit (const char *line, gsize length)
{
  if (length > 0 && line[length - 1] == '\n')
    length--;
  if (length > 0 && line[length - 1] == '\r')
    length--;
  return length == strlen ("exit") && memcmp (line, "exit", length) == 0;
}

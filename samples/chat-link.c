/* chat-link.c - a connection that comes back after it was cut off
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All of it happens in the main context and never waits; only connecting, which
 * may ask for names, has a thread of its own.
 *
 * The delay before an attempt doubles each time, and a part of it is left to
 * chance: when a server starts again, its clients must not come all at once.
 * Attempts are counted anew when a connection has lasted for a while, not when
 * it was made: a server that takes everybody and throws them out again would be
 * asked for ever.
 */

#include "chat-link.h"

#include <glib-unix.h>

#define CHUNK_SIZE  16384
#define MAX_DELAY_S 30.0

struct _ChatLink
{
  SampleClient *client; /* not ours */
  ChatLinkOptions options;
  const ChatLinkEvents *events;
  gpointer data; /* of the events */

  GCancellable *connecting; /* NULL: no thread is at it */
  gboolean is_up;
  gboolean was_up; /* some time */
  gboolean is_closed;
  gint64 up_since;
  int n_failures; /* in a row */
  GString *pending;
  guint receive_id;
  guint send_id;
  guint retry_id;
};

static double
next_delay (ChatLink *self)
{
  const double longest =
    self->options.delay_s * (1 << MIN (self->n_failures, 20));

  return MIN (longest, MAX_DELAY_S) * g_random_double_range (0.5, 1.0);
}

static void
hang_up (ChatLink *self)
{
  g_clear_handle_id (&self->receive_id, g_source_remove);
  g_clear_handle_id (&self->send_id, g_source_remove);
  g_clear_handle_id (&self->retry_id, g_source_remove);
  g_string_truncate (self->pending, 0);
  if (self->is_up)
    sample_client_hang_up (self->client);
  self->is_up = FALSE;
}

static gboolean
on_time_to_retry (gpointer data)
{
  ChatLink *self = data;

  self->retry_id = 0;
  chat_link_open (self);
  return G_SOURCE_REMOVE;
}

/* Nobody is waited for who was never there. */
static void
lose (ChatLink *self, const GError *error)
{
  const gint64 now = g_get_monotonic_time ();
  double delay_s = -1;

  if (self->is_up && (double) (now - self->up_since) > MAX_DELAY_S * 1e6)
    self->n_failures = 0;
  hang_up (self);
  if (self->was_up && self->n_failures < self->options.n_retries)
    {
      delay_s = next_delay (self);
      self->n_failures++;
      self->retry_id =
        g_timeout_add ((guint) (delay_s * 1000), on_time_to_retry, self);
    }
  else
    self->is_closed = TRUE;
  self->events->down (error, delay_s, self->data);
}

static gboolean
is_only_busy (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

static gboolean
on_readable (G_GNUC_UNUSED int fd,
             G_GNUC_UNUSED GIOCondition condition,
             gpointer data)
{
  ChatLink *self = data;
  char chunk[CHUNK_SIZE];
  g_autoptr (GError) error = NULL;
  const gssize n =
    sample_client_receive (self->client, chunk, sizeof chunk, &error);

  if (n > 0)
    self->events->received (chunk, (gsize) n, self->data);
  else if (!is_only_busy (error))
    {
      if (n == 0)
        g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                             "the server hung up");
      lose (self, error);
    }
  return G_SOURCE_CONTINUE;
}

/* There may have been a password in it. */
static void
wipe_pending (ChatLink *self)
{
  explicit_bzero (self->pending->str, self->pending->allocated_len);
  g_string_truncate (self->pending, 0);
}

static gboolean
on_writable (G_GNUC_UNUSED int fd,
             G_GNUC_UNUSED GIOCondition condition,
             gpointer data)
{
  ChatLink *self = data;
  g_autoptr (GError) error = NULL;
  const gssize n = sample_client_send (self->client, self->pending->str,
                                       self->pending->len, &error);

  if (n < 0 && !is_only_busy (error))
    lose (self, error);
  else if (n > 0)
    g_string_erase (self->pending, 0, n);
  if (self->pending->len > 0)
    return G_SOURCE_CONTINUE;
  wipe_pending (self);
  self->send_id = 0;
  return G_SOURCE_REMOVE;
}

static void
come_up (ChatLink *self, GSocket *socket)
{
  sample_client_take_socket (self->client, socket);
  self->is_up = self->was_up = TRUE;
  self->up_since = g_get_monotonic_time ();
  self->receive_id = g_unix_fd_add (sample_client_get_fd (self->client),
                                    G_IO_IN, on_readable, self);
  self->events->up (self->data);
}

/* In the thread. */
static void
connect_to_server (GTask *task,
                   G_GNUC_UNUSED gpointer source,
                   gpointer data,
                   GCancellable *cancellable)
{
  GError *error = NULL;
  GSocket *socket = sample_client_create_socket (data, cancellable, &error);

  if (socket != NULL)
    g_task_return_pointer (task, socket, g_object_unref);
  else
    g_task_return_error (task, error);
}

static void
on_connected (G_GNUC_UNUSED GObject *source, GAsyncResult *task, gpointer data)
{
  ChatLink *self = data;
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_task_propagate_pointer (G_TASK (task), &error);

  g_clear_object (&self->connecting);
  if (self->is_closed)
    g_clear_object (&socket);
  else if (socket != NULL)
    come_up (self, socket);
  else
    lose (self, error);
}

ChatLink *
chat_link_new (SampleClient *client,
               const ChatLinkOptions *options,
               const ChatLinkEvents *events,
               gpointer data)
{
  ChatLink *self = g_new0 (ChatLink, 1);

  self->client = client;
  self->options = *options;
  self->events = events;
  self->data = data;
  self->pending = g_string_new (NULL);
  return self;
}

/* The thread that connects is waited for: it uses the client. */
void
chat_link_free (ChatLink *self)
{
  chat_link_close (self);
  while (self->connecting != NULL)
    g_main_context_iteration (NULL, TRUE);
  wipe_pending (self);
  g_string_free (self->pending, TRUE);
  g_free (self);
}

void
chat_link_open (ChatLink *self)
{
  g_autoptr (GTask) task = NULL;

  self->connecting = g_cancellable_new ();
  task = g_task_new (NULL, self->connecting, on_connected, self);
  g_task_set_task_data (task, self->client, NULL);
  g_task_run_in_thread (task, connect_to_server);
}

/* Never waits; what the system does not take at once goes later. */
void
chat_link_send (ChatLink *self, const char *text, gsize length)
{
  if (!self->is_up)
    return;
  g_string_append_len (self->pending, text, (gssize) length);
  if (self->send_id == 0)
    self->send_id = g_unix_fd_add (sample_client_get_fd (self->client),
                                   G_IO_OUT, on_writable, self);
}

/* As if it had been cut off. */
void
chat_link_fail (ChatLink *self, const GError *error)
{
  if (self->is_up)
    lose (self, error);
}

/* For good; there are no events any more. */
void
chat_link_close (ChatLink *self)
{
  self->is_closed = TRUE;
  hang_up (self);
  if (self->connecting != NULL)
    g_cancellable_cancel (self->connecting);
}

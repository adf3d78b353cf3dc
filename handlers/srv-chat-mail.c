/* srv-chat-mail.c - what a chat keeps for those who are not there
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A message to somebody with an account goes through the store, whether its
 * addressee is there or not: the sender stores it and wakes the addressee, whose
 * own thread takes it out, writes it, and only then acknowledges it. So there is
 * one way for all, messages come in the order in which they were stored, and
 * what was stored is not lost when the process is. Writing it at once and
 * storing it only for those who are away would be faster, but what waits in a
 * queue for a slow client would die with the process.
 */

#include "config.h"

#include "srv-account-error.h"
#include "srv-chat-event-private.h"
#include "srv-chat-handler-private.h"
#include "srv-chat-hub-private.h"

/* How many messages are taken out at a time. */
#define RECORDS_AT_ONCE 16

/* The store's trouble is for the log; the client learns that there is some. */
static gboolean
store_failed (const GError *reason, GError **error)
{
  if (g_error_matches (reason, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL))
    return srv_chat_hub_refuse (SRV_CHAT_ERROR_FULL, reason->message, error);
  g_warning ("the store of the chat failed: %s", reason->message);
  return srv_chat_hub_refuse (SRV_CHAT_ERROR_STORE, "server error", error);
}

static gboolean
is_nobody (const GError *reason)
{
  return g_error_matches (reason, SRV_ACCOUNT_ERROR,
                          SRV_ACCOUNT_ERROR_NOT_FOUND) ||
         g_error_matches (reason, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BANNED);
}

/* Before it is said: who is told that it failed knows that nobody heard it. */
static gboolean
send_to_room (SrvChatHandler *self, SrvChatEvent *event, GError **error)
{
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);
  g_autoptr (SrvChatRecord) record = srv_chat_event_to_record (event);
  g_autoptr (GError) reason = NULL;

  if (!srv_chat_store_save_history (priv->store, record, &reason))
    return store_failed (reason, error);
  return srv_chat_hub_send (priv->hub, SRV_CHAT_MEMBER (self), event, error);
}

/* The addressee may have come while the message was stored. */
static void
wake_addressee (SrvChatHandler *self, SrvChatEvent *event)
{
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);
  g_autoptr (SrvChatMember) addressee = NULL;

  if (srv_chat_hub_resolve (priv->hub, SRV_CHAT_MEMBER (self), event,
                            &addressee, NULL))
    srv_chat_member_fetch (addressee, TRUE);
}

/* @is_there: somebody has the name, with an account or without. */
static gboolean
store_for_person (SrvChatHandler *self,
                  SrvChatEvent *event,
                  gboolean is_there,
                  GError **error)
{
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);
  g_autoptr (SrvChatRecord) record = srv_chat_event_to_record (event);
  g_autoptr (GError) reason = NULL;

  if (srv_chat_store_save_offline (priv->store, record, &reason))
    {
      wake_addressee (self, event);
      return TRUE;
    }
  if (!is_nobody (reason))
    return store_failed (reason, error);
  if (is_there)
    return srv_chat_hub_send (priv->hub, SRV_CHAT_MEMBER (self), event, error);
  return srv_chat_hub_refuse (SRV_CHAT_ERROR_NO_MEMBER,
                              "there is nobody with this name", error);
}

/**
 * srv_chat_handler_send:
 * @self: a handler whose client has a name
 * @event: a message
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends what the client says to a room or a person. With a
 * [property@SocketServerHandlers.ChatHandler:store] it is kept there first: for
 * a room in its history, for a person with an account until it was delivered.
 *
 * Fails as [method@SocketServerHandlers.ChatHub.send] does, with
 * %SRV_CHAT_ERROR_FULL when too many messages wait for a person, and with
 * %SRV_CHAT_ERROR_STORE. With a store, who has no account and is not there is
 * %SRV_CHAT_ERROR_NO_MEMBER.
 *
 * Threads: the one that runs the handler; waits for the store.
 *
 * Returns: %TRUE if it was sent or is kept, %FALSE with @error set otherwise
 */
gboolean
srv_chat_handler_send (SrvChatHandler *self,
                       SrvChatEvent *event,
                       GError **error)
{
  SrvChatHandlerPrivate *priv;
  g_autoptr (SrvChatMember) addressee = NULL;
  g_autoptr (GError) reason = NULL;

  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  priv = srv_chat_handler_get_private (self);
  if (priv->store == NULL)
    return srv_chat_hub_send (priv->hub, SRV_CHAT_MEMBER (self), event, error);
  if (!srv_chat_hub_resolve (priv->hub, SRV_CHAT_MEMBER (self), event,
                             &addressee, &reason) &&
      reason->code != SRV_CHAT_ERROR_GONE &&
      reason->code != SRV_CHAT_ERROR_NO_MEMBER)
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  if (srv_chat_event_is_to_room (event))
    return send_to_room (self, event, error);
  if (addressee != NULL && !srv_chat_member_fetch (addressee, FALSE))
    return srv_chat_hub_send (priv->hub, SRV_CHAT_MEMBER (self), event, error);
  return store_for_person (self, event, addressee != NULL, error);
}

void
srv_chat_handler_expect_mail (SrvChatHandler *self)
{
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);

  if (priv->store != NULL && priv->wake == NULL)
    g_atomic_pointer_set (&priv->wake, g_cancellable_new ());
}

gboolean
srv_chat_handler_fetch (SrvChatMember *member, gboolean now)
{
  SrvChatHandlerPrivate *priv =
    srv_chat_handler_get_private (SRV_CHAT_HANDLER (member));
  GCancellable *wake = g_atomic_pointer_get (&priv->wake);

  if (wake == NULL ||
      g_atomic_int_get (&priv->account) == SRV_CHAT_ACCOUNT_NONE)
    return FALSE;
  if (now)
    g_cancellable_cancel (wake);
  return TRUE;
}

/* Written to the end, in turn with what was posted. A drain ends the wait for a
 * client that does not read. */
static gboolean
write_record (SrvChatHandler *self,
              const SrvChatRecord *record,
              const char *name,
              GError **error)
{
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);
  gint64 deadline =
    g_get_monotonic_time () + (gint64) priv->delivery_timeout_ms * 1000;
  GCancellable *drain = srv_base_request_handler_get_drain_cancellable (
    SRV_BASE_REQUEST_HANDLER (self));
  g_autoptr (SrvChatEvent) event = srv_chat_event_new_from_record (record);
  g_autoptr (GBytes) bytes = NULL;
  gconstpointer data;
  gsize length;

  srv_chat_event_address (event, record->from, name);
  bytes = SRV_CHAT_HANDLER_GET_CLASS (self)->render (self, event);
  data = g_bytes_get_data (bytes, &length);
  return srv_chat_handler_set_deadline (self, deadline, error) &&
         srv_connection_send_all (priv->connection, data, length, drain, error);
}

/* What could not be written is given back, with all that follows. Adds to
 * @n_done those of which the store knows that they were written. */
static gboolean
deliver (SrvChatHandler *self,
         GPtrArray *records,
         const char *name,
         guint *n_done,
         GError **error)
{
  SrvChatStore *store = srv_chat_handler_get_private (self)->store;
  gboolean ok = TRUE;

  for (guint i = 0; i < records->len; i++)
    {
      const SrvChatRecord *record = records->pdata[i];
      g_autoptr (GError) reason = NULL;

      ok = ok && write_record (self, record, name, error);
      if (!ok)
        srv_chat_store_give_back (store, record->id);
      else if (srv_chat_store_acknowledge (store, record->id, &reason))
        (*n_done)++;
      else
        store_failed (reason, NULL);
    }
  return ok && srv_chat_handler_set_deadline (self, -1, error);
}

/* What is stored from now on wakes the client again. FALSE: it has no account,
 * or nobody can tell. */
static gboolean
begin_to_fetch (SrvChatHandler *self, const char *name)
{
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);
  g_autofree char *account = NULL;
  g_autoptr (GError) reason = NULL;

  srv_chat_handler_expect_mail (self);
  g_cancellable_reset (priv->wake);
  if (priv->account != SRV_CHAT_ACCOUNT_UNDECIDED)
    return priv->account == SRV_CHAT_ACCOUNT_FOUND;
  account = srv_chat_store_find_account (priv->store, name, &reason);
  if (account != NULL)
    g_atomic_int_set (&priv->account, SRV_CHAT_ACCOUNT_FOUND);
  else if (is_nobody (reason))
    g_atomic_int_set (&priv->account, SRV_CHAT_ACCOUNT_NONE);
  else
    store_failed (reason, NULL);
  return account != NULL;
}

/**
 * srv_chat_handler_hand_over:
 * @self: a handler whose client has a name, and may have what is kept for it
 * @error: return location for a [struct@GLib.Error]
 *
 * Writes to the client the messages that the store keeps for it, and tells the
 * store of each that was written. From then on others store what they say to
 * this client, and cancel
 * [method@SocketServerHandlers.ChatHandler.get_wake]; it is for the handler to
 * call this again.
 *
 * Without a store, and for a client without an account, it does nothing. The
 * store's trouble is logged, and is no failure.
 *
 * Fails as [method@SocketServer.Connection.send_all] does: with
 * %G_IO_ERROR_TIMED_OUT after
 * [property@SocketServerHandlers.ChatHandler:delivery-timeout], and with
 * %G_IO_ERROR_CANCELLED when the server drains.
 *
 * Threads: the one that runs the handler; waits for the store and the client.
 *
 * Returns: %TRUE, or %FALSE with @error set when the client cannot be written
 *   to
 */
gboolean
srv_chat_handler_hand_over (SrvChatHandler *self, GError **error)
{
  SrvChatHandlerPrivate *priv;
  g_autofree char *name = NULL;
  guint n_done = RECORDS_AT_ONCE;

  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), FALSE);

  priv = srv_chat_handler_get_private (self);
  name = srv_chat_hub_dup_name (priv->hub, SRV_CHAT_MEMBER (self));
  if (priv->store == NULL || name == NULL || !begin_to_fetch (self, name))
    return TRUE;
  /* What the store cannot strike out would be taken again, and again. */
  while (n_done == RECORDS_AT_ONCE)
    {
      g_autoptr (GError) reason = NULL;
      g_autoptr (GPtrArray) records =
        srv_chat_store_take_offline (priv->store, name, RECORDS_AT_ONCE,
                                     &reason);

      if (records == NULL)
        {
          store_failed (reason, NULL);
          return TRUE;
        }
      n_done = 0;
      if (!deliver (self, records, name, &n_done, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * srv_chat_handler_get_wake:
 * @self: a handler
 *
 * Gets what is cancelled when something was stored for the client. A handler
 * gives it to the call that reads from its client, and when that fails with
 * %G_IO_ERROR_CANCELLED, calls
 * [method@SocketServerHandlers.ChatHandler.hand_over].
 *
 * Threads: the one that runs the handler.
 *
 * Returns: (nullable) (transfer none): the cancellable, %NULL while the client
 *   does not fetch
 */
GCancellable *
srv_chat_handler_get_wake (SrvChatHandler *self)
{
  SrvChatHandlerPrivate *priv;

  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), NULL);

  priv = srv_chat_handler_get_private (self);
  return priv->account != SRV_CHAT_ACCOUNT_NONE ? priv->wake : NULL;
}

gsize
srv_chat_handler_get_free_bytes (SrvChatHandler *self)
{
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);
  gsize queued = srv_connection_get_n_posted_bytes (priv->connection);

  return (priv->max_queued_bytes - MIN (queued, priv->max_queued_bytes)) / 2;
}

/* The newest that fit, the newest first. */
static GPtrArray *
render_newest (SrvChatHandler *self, const GPtrArray *records)
{
  GPtrArray *newest =
    g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gsize left = srv_chat_handler_get_free_bytes (self);

  for (guint i = records->len; i > 0; i--)
    {
      g_autoptr (SrvChatEvent) event =
        srv_chat_event_new_from_record (records->pdata[i - 1]);
      g_autoptr (GBytes) bytes =
        SRV_CHAT_HANDLER_GET_CLASS (self)->render (self, event);

      if (bytes == NULL)
        continue;
      if (g_bytes_get_size (bytes) > left)
        break;
      left -= g_bytes_get_size (bytes);
      g_ptr_array_add (newest, g_steal_pointer (&bytes));
    }
  return newest;
}

/**
 * srv_chat_handler_show_history:
 * @self: a handler whose client has joined a room
 * @room: the room
 *
 * Shows the client the last messages of the room, as many as
 * [property@SocketServerHandlers.ChatHandler:history] says, and no more than
 * fit into half of what is free of its queue
 * ([property@SocketServerHandlers.ChatHandler:max-queued-bytes]). What is said
 * at the moment in which the client joins may come twice.
 *
 * The store's trouble is logged.
 *
 * Threads: the one that runs the handler; waits for the store.
 */
void
srv_chat_handler_show_history (SrvChatHandler *self, const char *room)
{
  SrvChatHandlerPrivate *priv;
  g_autoptr (GPtrArray) records = NULL;
  g_autoptr (GPtrArray) newest = NULL;
  g_autoptr (GError) reason = NULL;

  g_return_if_fail (SRV_IS_CHAT_HANDLER (self));
  g_return_if_fail (room != NULL);

  priv = srv_chat_handler_get_private (self);
  if (priv->store == NULL || priv->n_history == 0)
    return;
  records =
    srv_chat_store_get_history (priv->store, room, priv->n_history, &reason);
  if (records == NULL)
    {
      store_failed (reason, NULL);
      return;
    }
  newest = render_newest (self, records);
  for (guint i = newest->len; i > 0; i--)
    srv_chat_handler_post (self, newest->pdata[i - 1]);
}

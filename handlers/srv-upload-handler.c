/* srv-upload-handler.c - takes files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-upload-handler.h"

#include "srv-event-log.h"
#include "srv-upload-file-private.h"
#include "srv-upload-input-private.h"
#include "srv-upload-protocol-private.h"
#include "srv-upload-store-private.h"

#include <string.h>

/**
 * SrvUploadHandler:
 *
 * Takes files into the directory of a
 * [class@SocketServerHandlers.UploadStore], any number over one connection,
 * each with a reply that says how it went. It serves TCP and Unix sockets.
 *
 * ```
 * > upload 1 12 hello.txt -
 * < go 0
 * > hello, world
 * < stored 12 hello.txt 09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b
 * ```
 *
 * A client that declares the SHA-256 of its file gets it compared, and can
 * resume the upload after it was cut off: `go` says where. The header file
 * describes the whole protocol.
 *
 * When the server closes, an upload that runs is told `refused stopping`. Where
 * a [class@SocketServerHandlers.EventLog] watches the server, headers and
 * replies are reported to it, but not the files.
 *
 * You call: [func@SocketServerHandlers.UploadHandler.install].
 *
 * It is not meant for clients that nobody knows: it asks for no name and no
 * password, so it belongs on loopback, on a Unix socket, or behind something
 * that asks.
 *
 * In Python: there is no counterpart.
 */
struct _SrvUploadHandler
{
  SrvStreamRequestHandler parent_instance;

  SrvUploadStore *store; /* owned */
};

G_DEFINE_FINAL_TYPE (SrvUploadHandler,
                     srv_upload_handler,
                     SRV_TYPE_STREAM_REQUEST_HANDLER)

/* One connection, for as long as it is served. */
typedef struct
{
  SrvBaseRequestHandler *handler;
  SrvUploadInput *input;
  SrvWriter *wfile;
  SrvUploadStore *store;
  SrvEventLog *log; /* nullable */
  guint64 n_sent;
} Session;

/* What follows the refusal of an upload. */
typedef enum
{
  GO_ON, /* with the next header */
  END,   /* nobody knows where the next header would begin */
} Sequel;

typedef gboolean (*FileStep) (SrvUploadFile *file, GError **error);

typedef struct
{
  FileStep step;
  SrvUploadFile *file;
  GError *error;
  gboolean is_done;
} Task;

static void
do_task (gpointer data)
{
  Task *task = data;

  task->is_done = task->step (task->file, &task->error);
}

/* All that may wait for the disk, or for a lock, goes through here: it holds up
 * no other fiber. */
static gboolean
run_step (FileStep step, SrvUploadFile *file, GError **error)
{
  Task task = { .step = step, .file = file };
  g_autoptr (GError) local = NULL;

  if (!srv_offload (do_task, &task, &local))
    g_set_error (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_BUSY,
                 "could not store the file: %s", local->message);
  else if (!task.is_done)
    g_propagate_error (error, task.error);
  return task.is_done;
}

static gboolean
say (Session *session, const char *line, GError **error)
{
  if (!srv_writer_write_string (session->wfile, line, error) ||
      !srv_writer_flush (session->wfile, error))
    return FALSE;
  session->n_sent += strlen (line);
  if (session->log != NULL)
    srv_event_log_sent (session->log, session->handler, strlen (line));
  return TRUE;
}

static gboolean
receive_body (Session *session,
              SrvUploadFile *file,
              guint64 size,
              GError **error)
{
  guint64 left;

  srv_upload_input_begin_body (session->input);
  while ((left = size - srv_upload_file_get_received (file)) > 0)
    {
      const guint8 *chunk;
      gsize length =
        srv_upload_input_read_body (session->input, &chunk, left, error);

      if (length == 0)
        return FALSE;
      srv_upload_file_set_chunk (file, chunk, length);
      if (!run_step (srv_upload_file_write, file, error))
        return FALSE;
    }
  return TRUE;
}

/* From after the header to the last byte being on the disk. What SEQUEL says
 * holds if it fails. */
static gboolean
store_file (Session *session,
            const SrvUploadHeader *header,
            SrvUploadFile *file,
            Sequel *sequel,
            GError **error)
{
  g_autofree char *go = NULL;
  g_autofree char *verdict = NULL;

  *sequel = GO_ON;
  if (!run_step (srv_upload_file_begin, file, error))
    return FALSE;
  *sequel = END;
  go = srv_upload_format_go (srv_upload_file_get_received (file));
  if ((!header->is_post && !say (session, go, error)) ||
      !receive_body (session, file, header->size, error))
    return FALSE;
  *sequel = GO_ON;
  if (!run_step (srv_upload_file_commit, file, error))
    return FALSE;
  *sequel = END;
  verdict = srv_upload_format_stored (header->size,
                                      srv_upload_file_get_name (file),
                                      srv_upload_file_get_checksum (file));
  return header->is_post || say (session, verdict, error);
}

/* One upload; of one that fails nothing is left, or what is of use. */
static gboolean
receive_file (Session *session,
              const SrvUploadHeader *header,
              Sequel *sequel,
              GError **error)
{
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (session->store, header);

  if (store_file (session, header, file, sequel, error))
    return TRUE;
  run_step (srv_upload_file_abandon, file, NULL);
  return FALSE;
}

/* The operator hears of it when it is the server's trouble, or when the client
 * cannot be told. A client that has gone is told nothing. */
static gboolean
is_for_operator (const GError *refusal)
{
  return refusal->domain != SRV_UPLOAD_ERROR ||
         refusal->code == SRV_UPLOAD_ERROR_FAILED ||
         refusal->code == SRV_UPLOAD_ERROR_NO_SPACE;
}

/* Tells the client; TRUE when the connection goes on. */
static gboolean
refuse (Session *session,
        GError *refusal,
        gboolean is_silent,
        Sequel sequel,
        GError **error)
{
  g_autoptr (GError) problem = refusal;
  g_autofree char *line = NULL;

  if (!is_silent && problem->domain == SRV_UPLOAD_ERROR)
    {
      line = srv_upload_format_refused (problem);
      if (!say (session, line, error))
        return FALSE;
      if (sequel == GO_ON)
        return TRUE;
    }
  if (is_silent || is_for_operator (problem))
    g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static gssize
read_header (Session *session, SrvUploadHeader *header, GError **error)
{
  const guint8 *line;
  gssize length =
    srv_upload_input_read_header (session->input, header, &line, error);

  if (length > 0 && session->log != NULL)
    srv_event_log_received (session->log, session->handler, line,
                            (gsize) length);
  return length;
}

/* Uploads until there are no more. FALSE without ERROR: the client knows why
 * the connection ends. */
static gboolean
serve_uploads (Session *session, GError **error)
{
  for (;;)
    {
      g_auto (SrvUploadHeader) header = { 0 };
      GError *refusal = NULL;
      Sequel sequel = END;
      gssize found = read_header (session, &header, &refusal);

      if (found == 0)
        return TRUE;
      if (found > 0 && receive_file (session, &header, &sequel, &refusal))
        continue;
      if (!refuse (session, refusal, header.is_post, sequel, error))
        return FALSE;
    }
}

static gboolean
srv_upload_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvUploadStore *store = SRV_UPLOAD_HANDLER (handler)->store;
  g_autoptr (SrvUploadInput) input =
    srv_upload_input_new (SRV_STREAM_REQUEST_HANDLER (handler),
                          srv_upload_store_get_limits (store));
  Session session = {
    .handler = handler,
    .input = input,
    .wfile = srv_stream_request_handler_get_wfile (
      SRV_STREAM_REQUEST_HANDLER (handler)),
    .store = store,
    .log =
      srv_event_log_for_server (srv_base_request_handler_get_server (handler)),
  };
  GError *local = NULL;

  if (session.log != NULL)
    srv_event_log_connected (session.log, handler);
  serve_uploads (&session, &local);
  if (session.log != NULL)
    srv_event_log_disconnected (session.log, handler,
                                srv_upload_input_get_n_received (input),
                                session.n_sent, local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

static void
srv_upload_handler_dispose (GObject *object)
{
  g_clear_object (&SRV_UPLOAD_HANDLER (object)->store);
  G_OBJECT_CLASS (srv_upload_handler_parent_class)->dispose (object);
}

static void
srv_upload_handler_class_init (SrvUploadHandlerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = srv_upload_handler_dispose;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_upload_handler_handle;
}

static void
srv_upload_handler_init (SrvUploadHandler *self)
{
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}

static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer user_data)
{
  SrvUploadHandler *self = g_object_new (SRV_TYPE_UPLOAD_HANDLER, NULL);

  self->store = g_object_ref (SRV_UPLOAD_STORE (user_data));
  return SRV_BASE_REQUEST_HANDLER (self);
}

/**
 * srv_upload_handler_install:
 * @server: a stream server that does not serve yet
 * @store: where the files go
 *
 * Makes the server take uploads: sets its
 * [callback@SocketServer.HandlerFactory]. Several servers may share a store.
 *
 * Threads: any.
 */
void
srv_upload_handler_install (SrvBaseServer *server, SrvUploadStore *store)
{
  g_return_if_fail (SRV_IS_STREAM_SERVER (server));
  g_return_if_fail (SRV_IS_UPLOAD_STORE (store));

  /* Made now and kept by GLib, not when the first two threads need it. */
  g_type_class_unref (g_type_class_ref (SRV_TYPE_UPLOAD_HANDLER));
  srv_base_server_set_handler_factory (server, make_handler,
                                       g_object_ref (store), g_object_unref);
}

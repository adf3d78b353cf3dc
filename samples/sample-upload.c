/* sample-upload.c - sends one file after the other over a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The protocol stands in handlers/srv-upload-handler.h. While a file is being
 * sent the server may say that it does not want it: so there is always one eye
 * on its replies.
 */

#include "sample-upload.h"

#include "sample-progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <linux/sockios.h>

#define CHUNK_SIZE  65536
#define MAX_REPLY   4096
#define POST_REST   (G_USEC_PER_SEC / 5)
#define DRAIN_PAUSE 1000

/* How fast a slow server may be with its disk, after the last byte. */
#define DISK_RATE (10 * 1000 * 1000)

struct _SampleUpload
{
  GString *reply; /* what has come of the server's next line */
};

/* One file. */
typedef struct
{
  SampleUpload *upload;
  SampleClient *client;
  const SampleUploadOptions *options;
  const char *path;
  char *name;
  int fd;
  guint64 size;
  guint64 offset;
  char *line; /* the server's last word */
} Job;

SampleUpload *
sample_upload_new (void)
{
  SampleUpload *self = g_new0 (SampleUpload, 1);

  self->reply = g_string_new (NULL);
  return self;
}

void
sample_upload_free (SampleUpload *self)
{
  g_string_free (self->reply, TRUE);
  g_free (self);
}

/* The problem is the file's, not the connection's: the next one may do. */
static int
fail_file (Job *job, const char *what)
{
  g_printerr ("%s: could not %s %s: %s\n", g_get_prgname (), what, job->path,
              g_strerror (errno));
  return EX_NOINPUT;
}

static gboolean
open_file (Job *job)
{
  struct stat status;

  job->fd = open (job->path, O_RDONLY | O_CLOEXEC);
  if (job->fd < 0 || fstat (job->fd, &status) != 0)
    return FALSE;
  if (!S_ISREG (status.st_mode))
    {
      errno = S_ISDIR (status.st_mode) ? EISDIR : EINVAL;
      return FALSE;
    }
  job->size = (guint64) status.st_size;
  return TRUE;
}

/* A file that changes afterwards no longer has this checksum, and the server
 * refuses it. */
static char *
hash_file (Job *job)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *chunk = g_malloc (CHUNK_SIZE);
  off_t offset = 0;
  gssize n;

  while ((n = pread (job->fd, chunk, CHUNK_SIZE, offset)) > 0)
    {
      g_checksum_update (checksum, chunk, n);
      offset += n;
    }
  return n == 0 ? g_strdup (g_checksum_get_string (checksum)) : NULL;
}

static gboolean
fail_cut_off (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                       "the server ended before it gave a verdict");
  return FALSE;
}

/* The first line of what has come, if it is whole: it is in the job then. One
 * read may bring two lines. */
static void
take_line (Job *job)
{
  GString *reply = job->upload->reply;
  const char *newline = memchr (reply->str, '\n', reply->len);

  if (newline == NULL)
    return;
  g_free (job->line);
  job->line = g_strndup (reply->str, (gsize) (newline - reply->str));
  g_string_erase (reply, 0, newline - reply->str + 1);
}

/* Takes what has come of the reply; TRUE when there is no error. */
static gboolean
receive_reply (Job *job, GError **error)
{
  GString *reply = job->upload->reply;
  char chunk[1024];
  g_autoptr (GError) local = NULL;
  gssize n = sample_client_receive (job->client, chunk, sizeof chunk, &local);

  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return TRUE;
  if (n < 0)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (n == 0 || reply->len + (gsize) n > MAX_REPLY)
    return fail_cut_off (error);
  g_string_append_len (reply, chunk, n);
  take_line (job);
  return TRUE;
}

static gboolean
wait_for_line (Job *job, gint64 deadline, GError **error)
{
  g_clear_pointer (&job->line, g_free);
  take_line (job);
  while (job->line == NULL)
    {
      if (!srv_wait_fd (sample_client_get_fd (job->client), G_IO_IN, deadline,
                        NULL, error) ||
          !receive_reply (job, error))
        return FALSE;
    }
  return TRUE;
}

/* A server that has closed may have said why. */
static gboolean
find_last_word (Job *job, GError *problem, GError **error)
{
  g_autoptr (GError) ignored = NULL;

  if (wait_for_line (job, sample_client_get_deadline (job->client), &ignored))
    {
      g_error_free (problem);
      return TRUE;
    }
  g_propagate_error (error, problem);
  return FALSE;
}

/* Sends what the system takes of the text. */
static gboolean
send_text (Job *job, const char *text, GError **error)
{
  const gint64 deadline = sample_client_get_deadline (job->client);
  gsize length = strlen (text);

  while (length > 0)
    {
      gssize n;

      if (!srv_wait_fd (sample_client_get_fd (job->client), G_IO_OUT, deadline,
                        NULL, error))
        return FALSE;
      n = sample_client_send (job->client, text, length, error);
      if (n < 0)
        return FALSE;
      text += n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* Waits until the server can take more or has said something. */
static gboolean
wait_both (Job *job, GIOCondition *ready, GError **error)
{
  GPollFD poll_fd = { .fd = sample_client_get_fd (job->client),
                      .events = G_IO_IN | G_IO_OUT };
  const gint64 deadline = sample_client_get_deadline (job->client);
  const gint64 left_ms = (deadline - g_get_monotonic_time ()) / 1000;

  if (g_poll (&poll_fd, 1, (int) MAX (left_ms, 0)) == 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                           "the server does not take the file");
      return FALSE;
    }
  *ready = poll_fd.revents;
  return TRUE;
}

static gboolean
send_chunk (Job *job, char *chunk, GError **error)
{
  GError *local = NULL;
  gssize n = pread (job->fd, chunk, MIN (CHUNK_SIZE, job->size - job->offset),
                    (off_t) job->offset);

  if (n <= 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   "could not read on in %s: %s", job->path,
                   n < 0 ? g_strerror (errno) : "it has become shorter");
      return FALSE;
    }
  n = sample_client_send (job->client, chunk, (gsize) n, &local);
  if (n >= 0)
    job->offset += (guint64) n;
  else if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    g_error_free (local);
  else
    return find_last_word (job, local, error);
  return TRUE;
}

/* Until everything is sent or the server has said its word. */
static gboolean
send_body (Job *job, GError **error)
{
  g_autoptr (SampleProgress) progress =
    sample_progress_new (job->name, job->size, job->offset,
                         sample_client_is_quiet (job->client));
  g_autofree char *chunk = g_malloc (CHUNK_SIZE);

  g_clear_pointer (&job->line, g_free);
  while (job->offset < job->size && job->line == NULL)
    {
      GIOCondition ready = 0;

      if (!wait_both (job, &ready, error))
        return FALSE;
      if ((ready & (G_IO_IN | G_IO_HUP | G_IO_ERR)) != 0 &&
          !receive_reply (job, error))
        return FALSE;
      if (job->line == NULL && (ready & G_IO_OUT) != 0 &&
          !send_chunk (job, chunk, error))
        return FALSE;
      sample_progress_update (progress, job->offset);
    }
  return TRUE;
}

/* What a refusal means for the exit status. */
static int
status_of_word (const char *word)
{
  static const struct
  {
    const char *word;
    int status;
  } words[] = {
    { "bad-name", EX_CANTCREAT }, { "too-large", EX_CANTCREAT },
    { "quota", EX_CANTCREAT },    { "no-space", EX_CANTCREAT },
    { "exists", EX_CANTCREAT },   { "busy", EX_TEMPFAIL },
    { "timeout", EX_TEMPFAIL },   { "stopping", EX_TEMPFAIL },
    { "truncated", EX_TEMPFAIL }, { "checksum", EX_DATAERR },
    { "failed", EX_IOERR },
  };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (word, words[i].word) == 0)
      return words[i].status;
  return EX_PROTOCOL;
}

/* Text of the server must not be able to steer the terminal. */
static int
tell_refusal (Job *job)
{
  g_autofree char *text = srv_escape (job->line, -1);
  g_auto (GStrv) words = g_strsplit (job->line, " ", 3);

  g_printerr ("%s: %s: %s\n", g_get_prgname (), job->path, text);
  if (g_strv_length (words) < 2 || strcmp (words[0], "refused") != 0)
    return EX_PROTOCOL;
  return status_of_word (words[1]);
}

static int
tell_stored (Job *job)
{
  g_auto (GStrv) words = g_strsplit (job->line, " ", -1);
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;
  g_autofree char *checksum = NULL;

  if (g_strv_length (words) != 4 || strcmp (words[0], "stored") != 0)
    return tell_refusal (job);
  name = g_uri_unescape_string (words[2], NULL);
  text = srv_escape (name != NULL ? name : words[2], -1);
  checksum = srv_escape (words[3], -1);
  printf ("stored %" G_GUINT64_FORMAT " %s %s\n", job->size, text, checksum);
  fflush (stdout);
  return EX_OK;
}

static char *
format_header (Job *job)
{
  g_autofree char *escaped = g_uri_escape_string (job->name, NULL, FALSE);
  g_autofree char *checksum = NULL;

  if (job->options->post)
    return g_strdup_printf ("post|%s|%" G_GUINT64_FORMAT, job->name, job->size);
  checksum = job->options->no_checksum ? g_strdup ("-") : hash_file (job);
  if (checksum == NULL)
    return NULL;
  return g_strdup_printf ("upload 1 %" G_GUINT64_FORMAT " %s %s\n", job->size,
                          escaped, checksum);
}

/* The server's leave: from where on. */
static gboolean
parse_go (Job *job)
{
  return g_str_has_prefix (job->line, "go ") &&
         g_ascii_string_to_unsigned (job->line + strlen ("go "), 10, 0,
                                     job->size, &job->offset, NULL);
}

static gint64
verdict_deadline (Job *job)
{
  return sample_client_get_deadline (job->client) +
         (gint64) (job->size / DISK_RATE) * G_USEC_PER_SEC;
}

static int
send_own (Job *job, const char *header, GError **error)
{
  if (!send_text (job, header, error) ||
      !wait_for_line (job, sample_client_get_deadline (job->client), error))
    return EX_OK;
  if (!parse_go (job))
    return tell_refusal (job);
  if (job->offset > 0 && !sample_client_is_quiet (job->client))
    g_printerr ("going on at byte %" G_GUINT64_FORMAT "\n", job->offset);
  if (!send_body (job, error) ||
      (job->line == NULL &&
       !wait_for_line (job, verdict_deadline (job), error)))
    return EX_OK;
  return tell_stored (job);
}

/* The tutorial's server takes whatever one read gives it for the header: so
 * nothing may follow a header, or go before it, in the same read. All that can
 * be done is to wait until the server's system has it, and a little longer. */
static void
let_it_read (Job *job)
{
  const int fd = sample_client_get_fd (job->client);
  const gint64 deadline = sample_client_get_deadline (job->client);
  int pending;

  while (ioctl (fd, SIOCOUTQ, &pending) == 0 && pending > 0 &&
         g_get_monotonic_time () < deadline)
    g_usleep (DRAIN_PAUSE);
  g_usleep (POST_REST);
}

static int
send_post (Job *job, const char *header, GError **error)
{
  if (!send_text (job, header, error))
    return EX_OK;
  let_it_read (job);
  if (!send_body (job, error))
    return EX_OK;
  let_it_read (job);
  if (!sample_client_is_quiet (job->client))
    g_printerr ("sent %s; the server gives no verdict\n", job->path);
  return EX_OK;
}

/* Returns what the file's fate means for the exit status; with @error set the
 * connection is of no more use. */
int
sample_upload_send (SampleUpload *self,
                    SampleClient *client,
                    const char *path,
                    const SampleUploadOptions *options,
                    GError **error)
{
  Job job = { .upload = self,
              .client = client,
              .options = options,
              .path = path,
              .fd = -1 };
  g_autofree char *header = NULL;
  int status;

  job.name = options->name != NULL ? g_strdup (options->name)
                                   : g_path_get_basename (path);
  if (!open_file (&job))
    status = fail_file (&job, "open");
  else if ((header = format_header (&job)) == NULL)
    status = fail_file (&job, "read");
  else if (options->post)
    status = send_post (&job, header, error);
  else
    status = send_own (&job, header, error);
  if (job.fd >= 0)
    close (job.fd);
  g_free (job.name);
  g_free (job.line);
  return status;
}

/* srv-dialogue-private.h - questions and answers in lines
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-event-log.h"
#include "srv-time-limit-private.h"

G_BEGIN_DECLS

/* One connection, for as long as it is served. */
typedef struct
{
  SrvBaseRequestHandler *handler; /* borrowed, as all but the buffer */
  SrvReader *rfile;
  SrvWriter *wfile;
  SrvEventLog *log; /* nullable */
  GString *buffer;  /* owned: what has come and is not yet a line */
  guint max_line;
  guint pause_ms;    /* 0: a pause ends no line */
  guint max_time_ms; /* for the client to take what is said; 0: no limit */
  guint64 n_received;
  guint64 n_sent;
} SrvDialogue;

typedef enum
{
  SRV_DIALOGUE_FAILED = -1,
  SRV_DIALOGUE_END,
  SRV_DIALOGUE_LINE,
} SrvDialogueResult;

void srv_dialogue_begin (SrvDialogue *self,
                         SrvStreamRequestHandler *handler,
                         guint max_line,
                         guint pause_ms,
                         guint max_time_ms);
/* Reports how it went, and wipes what was said. */
void srv_dialogue_end (SrvDialogue *self, const GError *error);

/* A line of UTF-8 text without its end, that has come within @max_time_ms. Fails
 * with SRV_ERROR_TOO_LONG and G_IO_ERROR_INVALID_DATA for what is none: nobody
 * knows then where the next begins. The caller frees it. */
SrvDialogueResult srv_dialogue_read (SrvDialogue *self,
                                     guint max_time_ms,
                                     char **line,
                                     GError **error);
/* What may be known of a line: to the log. */
void srv_dialogue_note (SrvDialogue *self, const char *text);
/* Fails with G_IO_ERROR_TIMED_OUT when the client does not take it in time. */
gboolean srv_dialogue_say (SrvDialogue *self,
                           GError **error,
                           const char *format,
                           ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS

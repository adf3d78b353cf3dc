/* sample-answer.h - one question, one answer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "sample-client.h"

G_BEGIN_DECLS

#define SAMPLE_ANSWER_DESCRIPTION                                            \
  "Endpoints: tcp:HOST:PORT, udp:HOST:PORT, unix:PATH, unixgram:PATH,\n"     \
  "unix:@NAME. Without one, asks for host and port if the input is a\n"      \
  "terminal, and takes tcp:127.0.0.1:9999 otherwise.\n\n"                    \
  "The answer goes to standard output, events to standard error.\n\n"        \
  "Exit status: 0 there was a good answer, 64 wrong usage, 69 refused or\n"  \
  "cannot connect, 74 other trouble, 75 timeout, 76 cut off, or an answer\n" \
  "that cannot be right.\n"

gboolean sample_answer_send (SampleClient *client,
                             const char *data,
                             gsize length,
                             gint64 deadline,
                             GError **error);
gssize sample_answer_receive (SampleClient *client,
                              char *buffer,
                              gsize size,
                              gint64 deadline,
                              GError **error);
GString *sample_answer_receive_all (SampleClient *client,
                                    gsize max_length,
                                    gint64 deadline,
                                    GError **error);

G_END_DECLS

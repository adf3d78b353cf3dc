/* sample-server.h - what all sample servers have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver-handlers.h>

G_BEGIN_DECLS

typedef struct _SampleServer SampleServer;
typedef void (*SampleServerFunc) (SrvBaseServer *server, gpointer data);

SampleServer *sample_server_new (const char *summary,
                                 const GOptionEntry *entries);
void sample_server_free (SampleServer *self);
/* Before parsing: an option for services of datagrams. */
void sample_server_add_sender_limit (SampleServer *self);

gboolean sample_server_parse (SampleServer *self,
                              int *argc,
                              char ***argv,
                              int *exit_status);
void sample_server_set_quiet (SampleServer *self);
void sample_server_set_prepare (SampleServer *self,
                                SampleServerFunc prepare,
                                gpointer data);
void sample_server_set_attached (SampleServer *self);
void sample_server_set_on_ready (SampleServer *self,
                                 SampleServerFunc on_ready,
                                 gpointer data);
/* The mix-in when the command line names none. */
void sample_server_set_default_mix_in (SampleServer *self,
                                       SrvMixIn *(*make_mix_in) (void) );
/* After parsing: whether all clients are served in this process. */
gboolean sample_server_is_one_process (SampleServer *self);
int sample_server_run (SampleServer *self,
                       GType stream_handler,
                       GType datagram_handler);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SampleServer, sample_server_free)

G_END_DECLS

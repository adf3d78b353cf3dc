/* sample-client.h - what all sample clients have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

typedef struct _SampleClient SampleClient;

SampleClient *sample_client_new (const char *summary);
SampleClient *sample_client_new_with_arguments (const char *arguments,
                                                const char *summary);
void sample_client_free (SampleClient *self);

void sample_client_describe (SampleClient *self,
                             const GOptionEntry *entries,
                             const char *description);
void sample_client_set_quiet (SampleClient *self);
gboolean sample_client_is_quiet (SampleClient *self);
void sample_client_hide_traffic (SampleClient *self);
gboolean sample_client_parse (SampleClient *self,
                              int *argc,
                              char ***argv,
                              int *exit_status);
GSocket *sample_client_create_socket (SampleClient *self,
                                      GCancellable *cancellable,
                                      GError **error);
void sample_client_take_socket (SampleClient *self, GSocket *socket);
gboolean sample_client_connect (SampleClient *self, GError **error);
int sample_client_end (SampleClient *self, const GError *error);

gboolean sample_client_is_datagram (SampleClient *self);
gboolean sample_client_is_private (SampleClient *self);
const char *sample_client_get_endpoint (SampleClient *self);
int sample_client_get_fd (SampleClient *self);
double sample_client_get_timeout (SampleClient *self);
gint64 sample_client_get_deadline (SampleClient *self);

gssize sample_client_send (SampleClient *self,
                           const char *data,
                           gsize length,
                           GError **error);
gssize sample_client_receive (SampleClient *self,
                              char *buffer,
                              gsize size,
                              GError **error);
gboolean sample_client_half_close (SampleClient *self, GError **error);
void sample_client_hang_up (SampleClient *self);
gboolean sample_client_print (SampleClient *self,
                              const char *reply,
                              gsize length,
                              GError **error);
gboolean sample_client_is_exit (const char *line, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SampleClient, sample_client_free)

G_END_DECLS

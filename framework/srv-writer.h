/* srv-writer.h - wfile: writes everything, gathers replies
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_WRITER (srv_writer_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvWriter, srv_writer, SRV, WRITER, GFilterOutputStream)

SRV_AVAILABLE_IN_ALL
SrvWriter *srv_writer_new (GOutputStream *base_stream, gssize buffer_size);

SRV_AVAILABLE_IN_ALL
gboolean srv_writer_write (SrvWriter *self,
                           const void *data,
                           gsize length,
                           GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_writer_write_bytes (SrvWriter *self,
                                 GBytes *bytes,
                                 GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_writer_write_string (SrvWriter *self,
                                  const char *string,
                                  GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_writer_printf (SrvWriter *self,
                            GError **error,
                            const char *format,
                            ...) G_GNUC_PRINTF (3, 4);

SRV_AVAILABLE_IN_ALL
gboolean srv_writer_flush (SrvWriter *self, GError **error);

SRV_AVAILABLE_IN_ALL
gsize srv_writer_get_pending (SrvWriter *self);

G_END_DECLS

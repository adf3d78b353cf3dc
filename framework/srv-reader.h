/* srv-reader.h - rfile: buffered reading with bounded lines
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_READER (srv_reader_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvReader, srv_reader, SRV, READER, GFilterInputStream)

SRV_AVAILABLE_IN_ALL
SrvReader *srv_reader_new (GInputStream *base_stream, gssize buffer_size);

SRV_AVAILABLE_IN_ALL
gssize srv_reader_read_line (SrvReader *self,
                             const char **line,
                             gsize max_length,
                             GError **error);

SRV_AVAILABLE_IN_ALL
GBytes *srv_reader_read_line_bytes (SrvReader *self,
                                    gsize max_length,
                                    GError **error);

SRV_AVAILABLE_IN_ALL
gssize srv_reader_read (SrvReader *self,
                        void *buffer,
                        gsize count,
                        GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_reader_read_exactly (SrvReader *self,
                                  void *buffer,
                                  gsize count,
                                  GError **error);

SRV_AVAILABLE_IN_ALL
gsize srv_reader_get_available (SrvReader *self);

SRV_AVAILABLE_IN_ALL
void srv_reader_set_deadline (SrvReader *self, gint64 deadline);

G_END_DECLS

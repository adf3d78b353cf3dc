/* srv-log.c - structured log records
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-log-private.h"

#include "srv-base-server.h"

#include <stdio.h>

/* Journald's numbers for GLib's levels. */
static const char *
priority (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return "3";
  if (level & G_LOG_LEVEL_WARNING)
    return "4";
  if (level & G_LOG_LEVEL_MESSAGE)
    return "5";
  return level & G_LOG_LEVEL_INFO ? "6" : "7";
}

void
srv_log (GLogLevelFlags level,
         const char *event,
         SrvBaseServer *server,
         SrvRequest *request,
         const char *format,
         ...)
{
  g_autofree char *message = NULL;
  g_autofree char *peer = NULL;
  g_autofree char *endpoint = NULL;
  GLogField fields[6];
  gsize n = 0;
  va_list args;

  /* Formatting a debug record that nobody sees would cost a busy server. */
  if ((level & G_LOG_LEVEL_DEBUG) &&
      g_log_writer_default_would_drop (level, G_LOG_DOMAIN))
    return;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  fields[n++] = (GLogField){ "MESSAGE", message, -1 };
  fields[n++] = (GLogField){ "PRIORITY", priority (level), -1 };
  fields[n++] = (GLogField){ "GLIB_DOMAIN", G_LOG_DOMAIN, -1 };
  fields[n++] = (GLogField){ "SRV_EVENT", event, -1 };
  if (server != NULL && (endpoint = srv_base_server_dup_endpoint (server)))
    fields[n++] = (GLogField){ "SRV_SERVER", endpoint, -1 };
  if (request != NULL && (peer = srv_request_describe_client (request)))
    fields[n++] = (GLogField){ "SRV_PEER", peer, -1 };
  g_log_structured_array (level, fields, n);
}

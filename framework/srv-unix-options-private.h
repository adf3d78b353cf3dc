/* srv-unix-options-private.h - what Unix servers are told about paths
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-server.h"
#include "srv-listener-private.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean take_over;
  int mode; /* -1 for each of them: leave as it comes */
  int owner;
  int group;
} SrvUnixOptions;

/* The numbers of the properties, in every class that has them. */
typedef enum
{
  SRV_UNIX_PATH_TAKE_OVER = 1,
  SRV_UNIX_PATH_MODE,
  SRV_UNIX_PATH_OWNER,
  SRV_UNIX_PATH_GROUP,
} SrvUnixProperty;

void srv_unix_options_install (GObjectClass *klass);
void srv_unix_options_get (const SrvUnixOptions *self,
                           GObject *object,
                           guint id,
                           GValue *value,
                           GParamSpec *pspec);
void srv_unix_options_set (SrvUnixOptions *self,
                           GObject *object,
                           guint id,
                           const GValue *value,
                           GParamSpec *pspec);
gboolean srv_unix_options_bind (const SrvUnixOptions *self,
                                SrvBaseServer *server,
                                SrvEndpointKind kind,
                                GError **error);

G_END_DECLS

/* srv-service-private.h - which request a task serves
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-request.h"

G_BEGIN_DECLS

/* What a task has of the request that it serves, and of the tasks beside it. */
typedef struct
{
  gpointer slots[3];
} SrvService;

/* From here on the calling task serves @request. What it served before is kept in
 * @outer until the end. */
void srv_service_begin (SrvRequest *request, SrvService *outer);
void srv_service_end (const SrvService *outer);

/* The request that the calling task serves: who closes the server from its
 * handler must not wait for itself. NULL: none. */
SrvRequest *srv_service_get_request (void);

G_END_DECLS

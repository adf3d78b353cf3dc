/* srv-service.c - which request a task serves
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-service-private.h"

#include "srv-spawn.h"
#include "srv-task-private.h"

static const SrvTaskSlot of_request[] = {
  SRV_TASK_REQUEST,
  SRV_TASK_SPAWNED,
  SRV_TASK_SPAWNER,
};

G_STATIC_ASSERT (G_N_ELEMENTS (of_request) ==
                 G_N_ELEMENTS (((SrvService *) NULL)->slots));

SrvRequest *
srv_service_get_request (void)
{
  return srv_task_get (SRV_TASK_REQUEST);
}

/* A handler may serve requests of another server, and a server may run in a task
 * that a handler has spawned: what was before is none of this request's. */
void
srv_service_begin (SrvRequest *request, SrvService *outer)
{
  for (guint i = 0; i < G_N_ELEMENTS (of_request); i++)
    {
      outer->slots[i] = srv_task_get (of_request[i]);
      srv_task_set (of_request[i], NULL);
    }
  srv_task_set (SRV_TASK_REQUEST, request);
}

void
srv_service_end (const SrvService *outer)
{
  srv_spawn_join ();
  for (guint i = 0; i < G_N_ELEMENTS (of_request); i++)
    srv_task_set (of_request[i], outer->slots[i]);
}

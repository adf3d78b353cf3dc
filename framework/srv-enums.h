/* srv-enums.h - enumerations that several classes share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib-object.h>

#include "srv-visibility.h"

G_BEGIN_DECLS

/**
 * SrvServerState:
 * @SRV_SERVER_STATE_NEW: made, not yet bound
 * @SRV_SERVER_STATE_BOUND: has its address, does not listen yet
 * @SRV_SERVER_STATE_ACTIVE: clients can connect, nobody serves them
 * @SRV_SERVER_STATE_SERVING: a loop runs, or the server is attached
 * @SRV_SERVER_STATE_STOPPING: stop was asked for, the loop is leaving
 * @SRV_SERVER_STATE_CLOSED: the socket is gone; final
 *
 * Where a server is in its life.
 *
 * Stopping leads back to active: a server can serve again. Python keeps two
 * booleans for this, and four known hangs come from their combinations.
 */
typedef enum
{
  SRV_SERVER_STATE_NEW,
  SRV_SERVER_STATE_BOUND,
  SRV_SERVER_STATE_ACTIVE,
  SRV_SERVER_STATE_SERVING,
  SRV_SERVER_STATE_STOPPING,
  SRV_SERVER_STATE_CLOSED,
} SrvServerState;

#define SRV_TYPE_SERVER_STATE (srv_server_state_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_server_state_get_type (void);

/**
 * SrvHandleResult:
 * @SRV_HANDLE_RESULT_FAILED: the call itself failed, the error is set
 * @SRV_HANDLE_RESULT_HANDLED: a request was taken and processed
 * @SRV_HANDLE_RESULT_REFUSED: a request came and `verify_request` said no
 * @SRV_HANDLE_RESULT_NOTHING: readiness was reported, yet no request was
 *   there or accepting it failed
 * @SRV_HANDLE_RESULT_TIMED_OUT: no request came in time
 *
 * What one call of [method@SocketServer.BaseServer.handle_request] did.
 */
typedef enum
{
  SRV_HANDLE_RESULT_FAILED,
  SRV_HANDLE_RESULT_HANDLED,
  SRV_HANDLE_RESULT_REFUSED,
  SRV_HANDLE_RESULT_NOTHING,
  SRV_HANDLE_RESULT_TIMED_OUT,
} SrvHandleResult;

#define SRV_TYPE_HANDLE_RESULT (srv_handle_result_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_handle_result_get_type (void);

/**
 * SrvAcceptVerdict:
 * @SRV_ACCEPT_VERDICT_WAIT: nothing is there; wait for readiness
 * @SRV_ACCEPT_VERDICT_RETRY: this client is lost; try the next at once
 * @SRV_ACCEPT_VERDICT_REFUSED: a policy of the system refused this client
 * @SRV_ACCEPT_VERDICT_SHORTAGE: descriptors or memory ran out; pause
 * @SRV_ACCEPT_VERDICT_FATAL: the listening socket itself is unusable
 *
 * What a failure to get a request means for the loop.
 */
typedef enum
{
  SRV_ACCEPT_VERDICT_WAIT,
  SRV_ACCEPT_VERDICT_RETRY,
  SRV_ACCEPT_VERDICT_REFUSED,
  SRV_ACCEPT_VERDICT_SHORTAGE,
  SRV_ACCEPT_VERDICT_FATAL,
} SrvAcceptVerdict;

#define SRV_TYPE_ACCEPT_VERDICT (srv_accept_verdict_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_accept_verdict_get_type (void);

/**
 * SrvDrainStep:
 * @SRV_DRAIN_STEP_WAIT: let everything that runs come to its end
 * @SRV_DRAIN_STEP_CUT: the deadline is over; connections have been shut down,
 *   processes shall be asked to end
 * @SRV_DRAIN_STEP_KILL: the last means, where there is one
 *
 * How hard [vfunc@SocketServer.MixIn.drain] shall try.
 */
typedef enum
{
  SRV_DRAIN_STEP_WAIT,
  SRV_DRAIN_STEP_CUT,
  SRV_DRAIN_STEP_KILL,
} SrvDrainStep;

#define SRV_TYPE_DRAIN_STEP (srv_drain_step_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_drain_step_get_type (void);

/**
 * SrvDualStack:
 * @SRV_DUAL_STACK_ON: a socket bound to `::` serves IPv4 as well
 * @SRV_DUAL_STACK_OFF: IPv6 only
 * @SRV_DUAL_STACK_SYSTEM: whatever the system's default is
 *
 * Whether an IPv6 wildcard address takes IPv4 clients too.
 */
typedef enum
{
  SRV_DUAL_STACK_ON,
  SRV_DUAL_STACK_OFF,
  SRV_DUAL_STACK_SYSTEM,
} SrvDualStack;

#define SRV_TYPE_DUAL_STACK (srv_dual_stack_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_dual_stack_get_type (void);

/**
 * SrvListenerSharing:
 * @SRV_LISTENER_SHARING_SHARED: all accept from one socket; a client wakes one
 *   of them, and one that is busy leaves clients to the others
 * @SRV_LISTENER_SHARING_REUSE_PORT: each has a socket of its own at the same
 *   port, and the system deals clients out to them, whether they are busy or
 *   not
 *
 * How the workers of a server share its clients.
 */
typedef enum
{
  SRV_LISTENER_SHARING_SHARED,
  SRV_LISTENER_SHARING_REUSE_PORT,
} SrvListenerSharing;

#define SRV_TYPE_LISTENER_SHARING (srv_listener_sharing_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_listener_sharing_get_type (void);

/**
 * SrvForkGuard:
 * @SRV_FORK_GUARD_IGNORE: fork, whatever the process looks like
 * @SRV_FORK_GUARD_WARN: warn once, then fork
 * @SRV_FORK_GUARD_REFUSE: fail the request
 *
 * What [class@SocketServer.ForkingMixIn] does in a process that has threads.
 */
typedef enum
{
  SRV_FORK_GUARD_IGNORE,
  SRV_FORK_GUARD_WARN,
  SRV_FORK_GUARD_REFUSE,
} SrvForkGuard;

#define SRV_TYPE_FORK_GUARD (srv_fork_guard_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_fork_guard_get_type (void);

/**
 * SrvFullPolicy:
 * @SRV_FULL_POLICY_WAIT: it waits in the system's queue until there is room
 * @SRV_FULL_POLICY_REFUSE: it is turned away
 * @SRV_FULL_POLICY_OLDEST_IDLE: the connection whose handler has been waiting
 *   longest for its client is cut; if none waits, the request is turned away
 *
 * What [class@SocketServer.ThreadPoolMixIn] does with a request for which it has
 * no room.
 */
typedef enum
{
  SRV_FULL_POLICY_WAIT,
  SRV_FULL_POLICY_REFUSE,
  SRV_FULL_POLICY_OLDEST_IDLE,
} SrvFullPolicy;

#define SRV_TYPE_FULL_POLICY (srv_full_policy_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_full_policy_get_type (void);

G_END_DECLS

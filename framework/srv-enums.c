/* srv-enums.c - enumerations that several classes share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-enums.h"

G_DEFINE_ENUM_TYPE (SrvServerState,
                    srv_server_state,
                    G_DEFINE_ENUM_VALUE (SRV_SERVER_STATE_NEW, "new"),
                    G_DEFINE_ENUM_VALUE (SRV_SERVER_STATE_BOUND, "bound"),
                    G_DEFINE_ENUM_VALUE (SRV_SERVER_STATE_ACTIVE, "active"),
                    G_DEFINE_ENUM_VALUE (SRV_SERVER_STATE_SERVING, "serving"),
                    G_DEFINE_ENUM_VALUE (SRV_SERVER_STATE_STOPPING, "stopping"),
                    G_DEFINE_ENUM_VALUE (SRV_SERVER_STATE_CLOSED, "closed"))

G_DEFINE_ENUM_TYPE (SrvHandleResult,
                    srv_handle_result,
                    G_DEFINE_ENUM_VALUE (SRV_HANDLE_RESULT_FAILED, "failed"),
                    G_DEFINE_ENUM_VALUE (SRV_HANDLE_RESULT_HANDLED, "handled"),
                    G_DEFINE_ENUM_VALUE (SRV_HANDLE_RESULT_REFUSED, "refused"),
                    G_DEFINE_ENUM_VALUE (SRV_HANDLE_RESULT_NOTHING, "nothing"),
                    G_DEFINE_ENUM_VALUE (SRV_HANDLE_RESULT_TIMED_OUT,
                                         "timed-out"))

G_DEFINE_ENUM_TYPE (SrvAcceptVerdict,
                    srv_accept_verdict,
                    G_DEFINE_ENUM_VALUE (SRV_ACCEPT_VERDICT_WAIT, "wait"),
                    G_DEFINE_ENUM_VALUE (SRV_ACCEPT_VERDICT_RETRY, "retry"),
                    G_DEFINE_ENUM_VALUE (SRV_ACCEPT_VERDICT_REFUSED, "refused"),
                    G_DEFINE_ENUM_VALUE (SRV_ACCEPT_VERDICT_SHORTAGE,
                                         "shortage"),
                    G_DEFINE_ENUM_VALUE (SRV_ACCEPT_VERDICT_FATAL, "fatal"))

G_DEFINE_ENUM_TYPE (SrvDrainStep,
                    srv_drain_step,
                    G_DEFINE_ENUM_VALUE (SRV_DRAIN_STEP_WAIT, "wait"),
                    G_DEFINE_ENUM_VALUE (SRV_DRAIN_STEP_CUT, "cut"),
                    G_DEFINE_ENUM_VALUE (SRV_DRAIN_STEP_KILL, "kill"))

G_DEFINE_ENUM_TYPE (SrvDualStack,
                    srv_dual_stack,
                    G_DEFINE_ENUM_VALUE (SRV_DUAL_STACK_ON, "on"),
                    G_DEFINE_ENUM_VALUE (SRV_DUAL_STACK_OFF, "off"),
                    G_DEFINE_ENUM_VALUE (SRV_DUAL_STACK_SYSTEM, "system"))

G_DEFINE_ENUM_TYPE (SrvListenerSharing,
                    srv_listener_sharing,
                    G_DEFINE_ENUM_VALUE (SRV_LISTENER_SHARING_SHARED, "shared"),
                    G_DEFINE_ENUM_VALUE (SRV_LISTENER_SHARING_REUSE_PORT,
                                         "reuse-port"))

G_DEFINE_ENUM_TYPE (SrvForkGuard,
                    srv_fork_guard,
                    G_DEFINE_ENUM_VALUE (SRV_FORK_GUARD_IGNORE, "ignore"),
                    G_DEFINE_ENUM_VALUE (SRV_FORK_GUARD_WARN, "warn"),
                    G_DEFINE_ENUM_VALUE (SRV_FORK_GUARD_REFUSE, "refuse"))

G_DEFINE_ENUM_TYPE (SrvFullPolicy,
                    srv_full_policy,
                    G_DEFINE_ENUM_VALUE (SRV_FULL_POLICY_WAIT, "wait"),
                    G_DEFINE_ENUM_VALUE (SRV_FULL_POLICY_REFUSE, "refuse"),
                    G_DEFINE_ENUM_VALUE (SRV_FULL_POLICY_OLDEST_IDLE,
                                         "oldest-idle"))

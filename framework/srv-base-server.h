/* srv-base-server.h - the loop, and the way of a request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-request-handler.h"
#include "srv-mix-in.h"
#include "srv-request.h"
#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_BASE_SERVER (srv_base_server_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvBaseServer,
                          srv_base_server,
                          SRV,
                          BASE_SERVER,
                          GObject)

struct _SrvBaseServerClass
{
  GObjectClass parent_class;

  /* The handler when only a function was given: what kind of request the
   * server makes. */
  GType default_handler_type;

  gboolean (*server_bind) (SrvBaseServer *self, GError **error);
  gboolean (*server_activate) (SrvBaseServer *self, GError **error);
  SrvRequest *(*get_request) (SrvBaseServer *self, GError **error);
  gboolean (*verify_request) (SrvBaseServer *self,
                              SrvRequest *request,
                              GError **error);
  gboolean (*process_request) (SrvBaseServer *self,
                               SrvRequest *request,
                               GError **error);
  gboolean (*finish_request) (SrvBaseServer *self,
                              SrvRequest *request,
                              GError **error);
  void (*shutdown_request) (SrvBaseServer *self, SrvRequest *request);
  void (*close_request) (SrvBaseServer *self, SrvRequest *request);
  gboolean (*service_actions) (SrvBaseServer *self, GError **error);
  SrvHandleResult (*handle_timeout) (SrvBaseServer *self);
  void (*handle_error) (SrvBaseServer *self,
                        SrvRequest *request,
                        const GError *error);
  void (*accept_failed) (SrvBaseServer *self,
                         SrvAcceptVerdict verdict,
                         const GError *error);
  void (*server_close) (SrvBaseServer *self);
  int (*fileno) (SrvBaseServer *self);
  void (*before_wait) (SrvBaseServer *self);
  gboolean (*configure_socket) (SrvBaseServer *self, int fd, GError **error);

  /*< private >*/
  gboolean (*activate_listener) (SrvBaseServer *self,
                                 gpointer listener,
                                 GError **error);
  SrvRequest *(*take_request) (SrvBaseServer *self, GError **error);
  gpointer padding[9];
};

/* Life. */

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_server_bind (SrvBaseServer *self, GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_server_activate (SrvBaseServer *self, GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_serve_forever (SrvBaseServer *self, GError **error);

SRV_AVAILABLE_IN_ALL
SrvHandleResult srv_base_server_handle_request (SrvBaseServer *self,
                                                int timeout_ms,
                                                GCancellable *cancellable,
                                                GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_attach (SrvBaseServer *self,
                                 GMainContext *context,
                                 GError **error);

SRV_AVAILABLE_IN_ALL
void srv_base_server_shutdown (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_stop (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_stop_from_signal (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_wait_until_serving (SrvBaseServer *self,
                                             int timeout_ms,
                                             GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_wait_until_stopped (SrvBaseServer *self,
                                             int timeout_ms,
                                             GError **error);

SRV_AVAILABLE_IN_ALL
guint srv_base_server_server_close (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
int srv_base_server_fileno (SrvBaseServer *self);

/* What runs for a request. */

SRV_AVAILABLE_IN_ALL
void srv_base_server_set_handler_type (SrvBaseServer *self, GType handler_type);

SRV_AVAILABLE_IN_ALL
GType srv_base_server_get_handler_type (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_set_handler_factory (SrvBaseServer *self,
                                          SrvHandlerFactory factory,
                                          gpointer user_data,
                                          GDestroyNotify destroy);

SRV_AVAILABLE_IN_ALL
void srv_base_server_set_handler_func (SrvBaseServer *self,
                                       SrvHandlerFunc function,
                                       gpointer user_data,
                                       GDestroyNotify destroy);

SRV_AVAILABLE_IN_ALL
void srv_base_server_set_mix_in (SrvBaseServer *self, SrvMixIn *mix_in);

SRV_AVAILABLE_IN_ALL
SrvMixIn *srv_base_server_get_mix_in (SrvBaseServer *self);

/* What can be asked and set. */

SRV_AVAILABLE_IN_ALL
SrvServerState srv_base_server_get_state (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
GSocketAddress *srv_base_server_get_server_address (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
char *srv_base_server_dup_endpoint (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_set_timeout (SrvBaseServer *self, int timeout_ms);

SRV_AVAILABLE_IN_ALL
int srv_base_server_get_timeout (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_set_poll_interval (SrvBaseServer *self,
                                        int poll_interval_ms);

SRV_AVAILABLE_IN_ALL
int srv_base_server_get_poll_interval (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_set_drain_timeout (SrvBaseServer *self,
                                        int drain_timeout_ms);

SRV_AVAILABLE_IN_ALL
int srv_base_server_get_drain_timeout (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_set_cut_timeout (SrvBaseServer *self, int cut_timeout_ms);

SRV_AVAILABLE_IN_ALL
int srv_base_server_get_cut_timeout (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_is_draining (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
GCancellable *srv_base_server_get_drain_cancellable (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
guint srv_base_server_get_n_active_requests (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
guint srv_base_server_get_n_cut_requests (SrvBaseServer *self);

/* The steps of a request, for subclasses and mix-ins. */

SRV_AVAILABLE_IN_ALL
SrvRequest *srv_base_server_get_request (SrvBaseServer *self, GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_verify_request (SrvBaseServer *self,
                                         SrvRequest *request,
                                         GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_process_request (SrvBaseServer *self,
                                          SrvRequest *request,
                                          GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_finish_request (SrvBaseServer *self,
                                         SrvRequest *request,
                                         GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_complete_request (SrvBaseServer *self,
                                           SrvRequest *request,
                                           GError **error);

SRV_AVAILABLE_IN_ALL
void srv_base_server_shutdown_request (SrvBaseServer *self,
                                       SrvRequest *request);

SRV_AVAILABLE_IN_ALL
void srv_base_server_close_request (SrvBaseServer *self, SrvRequest *request);

SRV_AVAILABLE_IN_ALL
void srv_base_server_handle_error (SrvBaseServer *self,
                                   SrvRequest *request,
                                   const GError *error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_service_actions (SrvBaseServer *self, GError **error);

/* For mix-ins. */

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_run_loop (SrvBaseServer *self, GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_run_worker (SrvBaseServer *self, GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_run_worker_until_idle (SrvBaseServer *self,
                                                int idle_ms,
                                                gboolean *is_idle,
                                                GError **error);

SRV_AVAILABLE_IN_ALL
void srv_base_server_wake (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_wait_for_requests (SrvBaseServer *self,
                                            gint64 deadline);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_wait_for_event (SrvBaseServer *self, gint64 deadline);

SRV_AVAILABLE_IN_ALL
void srv_base_server_hold (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_release (SrvBaseServer *self);

SRV_AVAILABLE_IN_ALL
void srv_base_server_enter_child (SrvBaseServer *self,
                                  SrvRequest *request,
                                  int drain_fd);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_server_enter_worker_process (SrvBaseServer *self,
                                               SrvMixIn *mix_in,
                                               int stop_fd,
                                               GError **error);

G_END_DECLS

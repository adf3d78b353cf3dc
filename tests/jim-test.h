/* jim-test.h - a JIM server, and clients for its tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

#include <socketserver-handlers.h>

static const SrvTestMixIn shared_memory[] = { SRV_TEST_THREADING,
                                              SRV_TEST_FIBERS };

/* The server. Its handlers get these settings. */
static SrvChatHub *hub;
static SrvChatStore *store;
static const char *setting; /* "name=value", nullable */
static const char *setting2;

static inline void
apply (SrvBaseRequestHandler *handler, const char *text)
{
  g_auto (GStrv) parts = NULL;
  GParamSpec *pspec;

  if (text == NULL)
    return;
  parts = g_strsplit (text, "=", 2);
  pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (handler), parts[0]);
  if (G_IS_PARAM_SPEC_STRING (pspec))
    g_object_set (handler, parts[0], parts[1], NULL);
  else
    g_object_set (handler, parts[0], atoi (parts[1]), NULL);
}

static inline SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer data)
{
  SrvBaseRequestHandler *handler = g_object_new (data != NULL
                                                   ? SRV_TYPE_LINE_CHAT_HANDLER
                                                   : SRV_TYPE_JIM_HANDLER,
                                                 "hub", hub, NULL);

  if (data == NULL)
    {
      g_object_set (handler, "store", store, "post-gap", 0, NULL);
      apply (handler, g_atomic_pointer_get (&setting));
      apply (handler, setting2);
    }
  return handler;
}

static inline SrvTestRun *
start (SrvTestMixIn mix_in, gpointer line)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, mix_in);

  if (hub == NULL)
    hub = srv_chat_hub_new ();
  srv_base_server_set_handler_factory (server, make_handler, line, NULL);
  return srv_test_run (server);
}

static inline void
finish (SrvTestRun *run)
{
  srv_test_finish (run);
  g_clear_object (&hub);
  g_clear_object (&store);
}

/* Reads one object, flat, as the server writes them. */
static inline char *
hear (int fd)
{
  g_autoptr (GString) object = g_string_new (NULL);
  char c;

  do
    {
      ck_assert_int_eq (srv_test_receive (fd, &c, 1), 1);
      g_string_append_c (object, c);
    }
  while (c != '}');
  return g_string_free (g_steal_pointer (&object), FALSE);
}

static inline int
hear_code (int fd)
{
  g_autofree char *object = hear (fd);

  ck_assert_msg (g_str_has_prefix (object, "{\"response\":"), "%s", object);
  return atoi (object + strlen ("{\"response\":"));
}

static inline int
ask (int fd, const char *object)
{
  srv_test_say (fd, object);
  return hear_code (fd);
}

static inline void
expect_object (int fd, const char *expected)
{
  g_autofree char *object = hear (fd);

  ck_assert_str_eq (object, expected);
}

static inline int
come (SrvTestRun *run, const char *name)
{
  g_autofree char *presence = g_strdup_printf (
    "{\"action\":\"presence\",\"time\":1,\"user\":{\"account_name\":\"%s\"}}",
    name);
  int fd = srv_test_connect (run->server);

  ck_assert_int_eq (ask (fd, presence), 200);
  return fd;
}

#define MSG(to, text)                                                     \
  "{\"action\":\"msg\",\"time\":1,\"to\":\"" to "\",\"from\":\"forged\"," \
  "\"message\":\"" text "\"}"
#define ROOM(action, room) \
  "{\"action\":\"" action "\",\"time\":1,\"room\":\"" room "\"}"

#define AUTH(name, password)                                        \
  "{\"action\":\"authenticate\",\"user\":{\"account_name\":\"" name \
  "\",\"password\":\"" password "\"}}"

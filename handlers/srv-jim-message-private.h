/* srv-jim-message-private.h - the objects of JIM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-event.h"
#include "srv-jim-handler.h"

G_BEGIN_DECLS

#define SRV_JIM_MAX_ACTION 15
#define SRV_JIM_MAX_TEXT   500
#define SRV_JIM_MAX_OBJECT 640
#define SRV_JIM_MAX_LABEL  25
#define SRV_JIM_MAX_ID     32

typedef enum
{
  SRV_JIM_PRESENCE,
  SRV_JIM_PROBE,
  SRV_JIM_AUTHENTICATE,
  SRV_JIM_MSG,
  SRV_JIM_JOIN,
  SRV_JIM_LEAVE,
  SRV_JIM_CREATE,
  SRV_JIM_QUIT,
  SRV_JIM_GET_CONTACTS,
  SRV_JIM_ADD_CONTACT,
  SRV_JIM_DEL_CONTACT,
  SRV_JIM_GET_USERS,
} SrvJimAction;

/* How a list of names is written: three generations of clients. */
typedef enum
{
  SRV_JIM_LIST_EARLY,    /* a number, then an object for each */
  SRV_JIM_LIST_MIDDLE,   /* as the alert */
  SRV_JIM_LIST_TEMPLATE, /* under a name of its own */
} SrvJimList;

/* What a client calls things: numbers in the lists of names that stand for one.
 * As one number it is a dialect of srv_chat_event_render (). */
typedef enum
{
  SRV_JIM_KEYS_MESSAGE = 1 << 0, /* the action */
  SRV_JIM_KEYS_TO_SHIFT = 1,     /* two bits */
  SRV_JIM_KEYS_SENDER = 1 << 3,
  SRV_JIM_KEYS_TEXT_SHIFT = 4, /* two bits */
  SRV_JIM_KEYS_ALL = 1 << 6,   /* not known yet: several names at once */
  SRV_JIM_KEYS_LINES = 1 << 7, /* the framing, too */
  SRV_JIM_KEYS_LEN32 = 1 << 8,
  SRV_JIM_KEYS_STAMP = 1 << 9, /* our time, not the sender's */
  SRV_JIM_KEYS_MSG = 1 << 10,  /* not known yet, but the action is "msg" */
} SrvJimKeys;

#define SRV_JIM_KEYS_NAMES 0x3f

/* The label of an event that says what its sender calls things. */
#define SRV_JIM_LABEL_NAMES "jim-names"

#define SRV_JIM_KEYS_TEMPLATE                                                \
  (SRV_JIM_KEYS_MESSAGE | 1 << SRV_JIM_KEYS_TO_SHIFT | SRV_JIM_KEYS_SENDER | \
   1 << SRV_JIM_KEYS_TEXT_SHIFT)

/* What a client has sent; strings are owned, NULL when they were not there. */
typedef struct
{
  SrvJimAction action;
  guint keys;
  char *time; /* the text of a number */
  char *id;   /* as JSON */
  char *account;
  char *password;
  char *status;
  char *to;
  char *from;
  char *text;
  char *encoding;
  char *room;
  char *contact;
  SrvJimList list;
} SrvJimMessage;

/* NULL when it is well, otherwise why not: short, and nothing of the client's.
 * @message is to be cleared in any case; its id is there if it could be read. */
const char *srv_jim_message_parse (SrvJimMessage *message,
                                   const char *text,
                                   gsize length,
                                   SrvJimDialect dialect,
                                   gboolean is_strict);
void srv_jim_message_clear (SrvJimMessage *message);

/* An answer, a probe and a relayed event, as they go over the wire. */
GBytes *srv_jim_render_response (int code,
                                 const char *text,
                                 const char *id,
                                 guint keys);
GBytes *srv_jim_render_probe (guint keys);
/* Success with a list; the objects that follow an early one are rendered each by
 * itself. */
GBytes *srv_jim_render_list (char **names,
                             SrvJimList list,
                             const char *id,
                             guint keys);
GBytes *srv_jim_render_contact (const char *name, guint keys);
GBytes *srv_jim_render_event (SrvChatEvent *event, guint keys);

G_END_DECLS

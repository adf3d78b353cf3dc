/* srv-jim-json-private.h - strict reading and safe writing of JSON
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  SRV_JIM_STRING,
  SRV_JIM_NUMBER,
  SRV_JIM_OBJECT,
  SRV_JIM_OTHER,
} SrvJimKind;

typedef struct
{
  SrvJimKind kind;
  char *text; /* owned; a number's as it came, if it is of the outer object */
} SrvJimValue;

/* Whether this build can read JSON. */
gboolean srv_jim_json_is_supported (void);

/* The members of an object as a table from name to SrvJimValue, those of an
 * inner object "user" under "user.NAME". NULL when it is not JSON as RFC 8259
 * has it, not an object, too deep, or has a key twice. */
GHashTable *srv_jim_json_parse (const char *text, gsize length);

/* How many characters the object has when it is written without space and with
 * everything unescaped that can be. Only for what could be parsed. */
gsize srv_jim_json_compact_length (const char *text, gsize length);

/* Appends a string in quotes. Braces are escaped too: some clients find the end
 * of an object by counting them. */
void srv_jim_json_append_string (GString *out, const char *text);

G_END_DECLS

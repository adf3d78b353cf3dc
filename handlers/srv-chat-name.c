/* srv-chat-name.c - what people and rooms may be called
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-name-private.h"

#include "srv-chat-error.h"

#include <string.h>

static gboolean
is_reserved (const char *name)
{
  static const char *const reserved[] = { "all", "server" };
  g_autofree char *key = srv_chat_name_to_key (name);

  for (gsize i = 0; i < G_N_ELEMENTS (reserved); i++)
    if (strcmp (key, reserved[i]) == 0)
      return TRUE;
  return FALSE;
}

/* Letters and marks that show nothing: with one of them a name would look like
 * somebody else's. Those that Unicode lets be ignored. */
static gboolean
is_invisible (gunichar c)
{
  static const struct
  {
    gunichar first;
    gunichar last;
  } ranges[] = {
    { 0x034f, 0x034f }, { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },
    { 0x180b, 0x180f }, { 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },
    { 0xffa0, 0xffa0 }, { 0xe0100, 0xe01ef },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (c >= ranges[i].first && c <= ranges[i].last)
      return TRUE;
  return FALSE;
}

/* Letters of all scripts, with their marks. Symbols, controls and everything
 * that is invisible or turns the direction of text are left out: a name stands
 * beside others' text. */
static gboolean
is_allowed (gunichar c, gboolean is_first)
{
  if (is_invisible (c))
    return FALSE;
  return g_unichar_isalnum (c) || (!is_first && g_unichar_ismark (c)) ||
         (!is_first && c == ' ') || (c < 0x80 && strchr ("_-.@", (int) c));
}

static gboolean
check (const char *name, glong max, GError **error)
{
  glong length = g_utf8_strlen (name, -1);
  const char *problem = NULL;

  if (length == 0)
    problem = "the name is empty";
  else if (length > max)
    problem = "the name is too long";
  else if (name[strlen (name) - 1] == ' ')
    problem = "the name ends with a space";
  for (const char *c = name; *c != '\0' && problem == NULL;
       c = g_utf8_next_char (c))
    if (!is_allowed (g_utf8_get_char (c), c == name))
      problem = "the name has a character that names cannot have";
  if (problem == NULL)
    return TRUE;
  g_set_error_literal (error, SRV_CHAT_ERROR, SRV_CHAT_ERROR_BAD_NAME, problem);
  return FALSE;
}

/* What is no text is no name: it becomes an empty one. */
static char *
normalize (const char *name)
{
  if (!g_utf8_validate (name, -1, NULL))
    return g_strdup ("");
  return g_utf8_normalize (name, -1, G_NORMALIZE_NFC);
}

char *
srv_chat_name_of_member (const char *name, GError **error)
{
  g_autofree char *normal = normalize (name);

  if (!check (normal, SRV_CHAT_NAME_MAX, error))
    return NULL;
  if (is_reserved (normal))
    {
      g_set_error_literal (error, SRV_CHAT_ERROR, SRV_CHAT_ERROR_BAD_NAME,
                           "the name is reserved");
      return NULL;
    }
  return g_steal_pointer (&normal);
}

char *
srv_chat_name_of_room (const char *name, GError **error)
{
  g_autofree char *normal = normalize (name);

  if (normal[0] != '#')
    {
      g_set_error_literal (error, SRV_CHAT_ERROR, SRV_CHAT_ERROR_BAD_NAME,
                           "the name of a room begins with #");
      return NULL;
    }
  if (!check (normal + 1, SRV_CHAT_NAME_MAX - 1, error))
    return NULL;
  return g_steal_pointer (&normal);
}

char *
srv_chat_name_to_key (const char *name)
{
  g_autofree char *normal = normalize (name);
  g_autofree char *folded = g_utf8_casefold (normal, -1);

  return g_utf8_normalize (folded, -1, G_NORMALIZE_NFC);
}

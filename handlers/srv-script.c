/* srv-script.c - what to say and what to expect, line by line
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-script-private.h"

#include <string.h>

/**
 * SrvScript:
 *
 * One side of a dialogue, for [class@SocketServerHandlers.ScriptHandler]. It is
 * UTF-8 text, in which each line is a step:
 *
 * ```
 * # Comments and empty lines are no steps.
 * > Who are you?
 * <
 * ! You are not the one.
 * > What is the word?
 * < swordfish
 * > Come in.
 * ```
 *
 * - `> TEXT` says a line.
 * - `< TEXT` waits for a line of the client, which has to be this one, letter
 *   by letter. `<` alone takes any line.
 * - `! TEXT` is said, from here on, to a client that says something else than
 *   it should, before the dialogue ends. Without it, it just ends.
 *
 * One space after the sign belongs to it, white space at the end to nothing. There are at most 1000 steps, of at
 * most 4096 bytes each.
 *
 * A script does not change, and any number of handlers can share it.
 */
struct _SrvScript
{
  GArray *steps;       /* of SrvScriptStep */
  GPtrArray *refusals; /* of char, owned */
};

/**
 * SRV_SCRIPT_MAX_STEPS:
 *
 * How many steps a script can have.
 */

/**
 * SRV_SCRIPT_MAX_TEXT:
 *
 * How many bytes the text of a step can have.
 */

G_DEFINE_BOXED_TYPE (SrvScript, srv_script, srv_script_ref, srv_script_unref)

static void
clear_step (gpointer step)
{
  g_free (((SrvScriptStep *) step)->text);
}

static void
free_contents (gpointer data)
{
  SrvScript *self = data;

  g_array_unref (self->steps);
  g_ptr_array_unref (self->refusals);
}

static SrvScript *
script_new (void)
{
  SrvScript *self = g_atomic_rc_box_new (SrvScript);

  self->steps = g_array_new (FALSE, FALSE, sizeof (SrvScriptStep));
  g_array_set_clear_func (self->steps, clear_step);
  self->refusals = g_ptr_array_new_with_free_func (g_free);
  return self;
}

/* NULL when the line is well, otherwise what is wrong with it. */
static const char *
find_problem (const SrvScript *self, const char *line)
{
  if (strchr ("><!", line[0]) == NULL)
    return "it begins with none of > < ! #";
  if (strlen (line) > SRV_SCRIPT_MAX_TEXT + 2)
    return "it is too long";
  if (self->steps->len + self->refusals->len == SRV_SCRIPT_MAX_STEPS)
    return "there are too many steps";
  return NULL;
}

static void
add_step (SrvScript *self, const char *line)
{
  const guint n_refusals = self->refusals->len;
  const char *text = line + (line[1] == ' ' ? 2 : 1);
  SrvScriptStep step = {
    .verb = line[0] == '>' ? SRV_SCRIPT_SAY : SRV_SCRIPT_EXPECT,
    .refusal = n_refusals > 0 ? self->refusals->pdata[n_refusals - 1] : NULL,
  };

  if (line[0] == '!')
    {
      g_ptr_array_add (self->refusals, g_strdup (text));
      return;
    }
  if (step.verb == SRV_SCRIPT_SAY || *text != '\0')
    step.text = g_strdup (text);
  g_array_append_val (self->steps, step);
}

/**
 * srv_script_parse:
 * @text: the script
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads a script.
 *
 * Fails with %G_IO_ERROR_INVALID_DATA for what is no script, and names the line.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new script, or %NULL with @error set
 */
SrvScript *
srv_script_parse (const char *text, GError **error)
{
  g_autoptr (SrvScript) self = script_new ();
  g_auto (GStrv) lines = NULL;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "could not read the script: it is not UTF-8 text");
      return NULL;
    }
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *problem;

      g_strchomp (lines[i]);
      if (lines[i][0] == '\0' || lines[i][0] == '#')
        continue;
      problem = find_problem (self, lines[i]);
      if (problem != NULL)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "could not read the script: line %u: %s", i + 1,
                       problem);
          return NULL;
        }
      add_step (self, lines[i]);
    }
  return g_steal_pointer (&self);
}

/**
 * srv_script_ref:
 * @self: a script
 *
 * Adds a reference.
 *
 * Threads: any.
 *
 * Returns: (transfer full): @self
 */
SrvScript *
srv_script_ref (SrvScript *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_atomic_rc_box_acquire (self);
}

/**
 * srv_script_unref:
 * @self: (transfer full): a script
 *
 * Drops a reference.
 *
 * Threads: any.
 */
void
srv_script_unref (SrvScript *self)
{
  g_return_if_fail (self != NULL);
  g_atomic_rc_box_release_full (self, free_contents);
}

guint
srv_script_get_n_steps (const SrvScript *self)
{
  return self->steps->len;
}

const SrvScriptStep *
srv_script_get_step (const SrvScript *self, guint i)
{
  return &g_array_index (self->steps, SrvScriptStep, i);
}

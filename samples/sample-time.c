/* sample-time.c - the option --format of the time server and its client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "sample-time.h"

gboolean
sample_time_parse_format (const char *name,
                          SrvTimeFormat *format,
                          GError **error)
{
  g_autoptr (GTypeClass) formats = g_type_class_ref (SRV_TYPE_TIME_FORMAT);
  const GEnumValue *value =
    g_enum_get_value_by_nick (G_ENUM_CLASS (formats), name);

  if (value == NULL)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "unknown format \"%s\"; there are ctime, iso-8601, rfc-868 "
                   "and daytime",
                   name);
      return FALSE;
    }
  *format = value->value;
  return TRUE;
}

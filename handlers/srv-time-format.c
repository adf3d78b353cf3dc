/* srv-time-format.c - the time of day, as time services write it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-time-format.h"

#include <string.h>

/* From the first of January 1900 to the same day of 1970. */
#define RFC_868_EPOCH G_GINT64_CONSTANT (2208988800)

G_DEFINE_ENUM_TYPE (SrvTimeFormat,
                    srv_time_format,
                    G_DEFINE_ENUM_VALUE (SRV_TIME_FORMAT_CTIME, "ctime"),
                    G_DEFINE_ENUM_VALUE (SRV_TIME_FORMAT_ISO_8601, "iso-8601"),
                    G_DEFINE_ENUM_VALUE (SRV_TIME_FORMAT_RFC_868, "rfc-868"),
                    G_DEFINE_ENUM_VALUE (SRV_TIME_FORMAT_DAYTIME, "daytime"))

/* What goes over the network is the same in every locale, so the names are not
 * those of the C library. */
static const char *const days[] = {
  "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
};
static const char *const months[] = {
  "January", "February", "March",     "April",   "May",      "June",
  "July",    "August",   "September", "October", "November", "December",
};

static const char *
day_name (GDateTime *when)
{
  return days[g_date_time_get_day_of_week (when) - 1];
}

static const char *
month_name (GDateTime *when)
{
  return months[g_date_time_get_month (when) - 1];
}

static char *
render_ctime (GDateTime *when)
{
  return g_strdup_printf ("%.3s %.3s %2d %02d:%02d:%02d %d\n", day_name (when),
                          month_name (when),
                          g_date_time_get_day_of_month (when),
                          g_date_time_get_hour (when),
                          g_date_time_get_minute (when),
                          g_date_time_get_second (when),
                          g_date_time_get_year (when));
}

static char *
render_iso_8601 (GDateTime *when)
{
  return g_date_time_format (when, "%Y-%m-%dT%H:%M:%S%:z\n");
}

static char *
render_daytime (GDateTime *when)
{
  return g_strdup_printf ("%s, %s %d, %d %02d:%02d:%02d-%s\r\n",
                          day_name (when), month_name (when),
                          g_date_time_get_day_of_month (when),
                          g_date_time_get_year (when),
                          g_date_time_get_hour (when),
                          g_date_time_get_minute (when),
                          g_date_time_get_second (when),
                          g_date_time_get_timezone_abbreviation (when));
}

static GBytes *
render_rfc_868 (GDateTime *when)
{
  const gint64 seconds = g_date_time_to_unix (when) + RFC_868_EPOCH;
  const guint32 big_endian = GUINT32_TO_BE ((guint32) seconds);

  return g_bytes_new (&big_endian, sizeof big_endian);
}

/**
 * srv_time_format_render:
 * @format: how
 * @when: a time; its zone is the one that is written
 *
 * Writes a time for the network.
 *
 * Threads: any. In Python: `time.ctime(when) + "\n"`,
 * `when.isoformat(timespec="seconds")`,
 * `struct.pack("!I", int(when.timestamp()) + 2208988800)`.
 *
 * Returns: (transfer full): the bytes, all of them printable ASCII and line
 *   ends, but for %SRV_TIME_FORMAT_RFC_868
 */
GBytes *
srv_time_format_render (SrvTimeFormat format, GDateTime *when)
{
  char *text;

  g_return_val_if_fail (when != NULL, NULL);

  switch (format)
    {
    case SRV_TIME_FORMAT_CTIME:
      text = render_ctime (when);
      break;
    case SRV_TIME_FORMAT_ISO_8601:
      text = render_iso_8601 (when);
      break;
    case SRV_TIME_FORMAT_DAYTIME:
      text = render_daytime (when);
      break;
    case SRV_TIME_FORMAT_RFC_868:
      return render_rfc_868 (when);
    default:
      g_return_val_if_reached (NULL);
    }
  return g_bytes_new_take (text, strlen (text));
}

/**
 * srv_time_format_render_now:
 * @format: how
 * @time_zone: (nullable): where; %NULL for the zone of this machine
 *
 * Writes the present time for the network.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the bytes; see
 *   [func@SocketServerHandlers.TimeFormat.render]
 */
GBytes *
srv_time_format_render_now (SrvTimeFormat format, GTimeZone *time_zone)
{
  g_autoptr (GDateTime) now = time_zone != NULL
                                ? g_date_time_new_now (time_zone)
                                : g_date_time_new_now_local ();

  return srv_time_format_render (format, now);
}

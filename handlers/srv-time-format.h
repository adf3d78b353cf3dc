/* srv-time-format.h - the time of day, as time services write it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

/**
 * SrvTimeFormat:
 * @SRV_TIME_FORMAT_CTIME: as C's `ctime()`, `Mon May  4 10:11:12 2026` and a
 *   newline: 25 bytes
 * @SRV_TIME_FORMAT_ISO_8601: `2026-05-04T10:11:12+02:00` and a newline: 26
 *   bytes
 * @SRV_TIME_FORMAT_RFC_868: the seconds since 1900 in UTC, 4 bytes, the highest
 *   first; they start again at 0 in February 2036
 * @SRV_TIME_FORMAT_DAYTIME: a line after RFC 867,
 *   `Monday, May 4, 2026 10:11:12-CEST` and CR LF: 33 to 60 bytes
 *
 * How a time service writes the time. Names of days and months are always
 * English.
 */
typedef enum
{
  SRV_TIME_FORMAT_CTIME,
  SRV_TIME_FORMAT_ISO_8601,
  SRV_TIME_FORMAT_RFC_868,
  SRV_TIME_FORMAT_DAYTIME,
} SrvTimeFormat;

#define SRV_TYPE_TIME_FORMAT (srv_time_format_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_time_format_get_type (void);

SRV_AVAILABLE_IN_ALL
GBytes *srv_time_format_render (SrvTimeFormat format, GDateTime *when);

SRV_AVAILABLE_IN_ALL
GBytes *srv_time_format_render_now (SrvTimeFormat format, GTimeZone *time_zone);

G_END_DECLS

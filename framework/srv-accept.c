/* srv-accept.c - what to do when no request can be had
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-accept-private.h"

#include "srv-log-private.h"

#include <errno.h>

#define FIRST_PAUSE_MS   10
#define LONGEST_PAUSE_MS 1000
#define REPORT_EVERY_US  (60 * G_USEC_PER_SEC)

/* By errno, because GError forgets: "connection aborted" (try the next) and
 * "no buffer space" (pause) are both %G_IO_ERROR_FAILED. EOPNOTSUPP is what
 * Linux reports for some clients; that the socket does listen was seen when it
 * was activated. An errno that nobody expects pauses, so that the loop cannot
 * spin on it. */
SrvAcceptVerdict
srv_accept_classify (int code)
{
  switch (code)
    {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
      return SRV_ACCEPT_VERDICT_WAIT;
    case EINTR:
    case ECONNABORTED:
    case ECONNRESET:
    case ECONNREFUSED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
      return SRV_ACCEPT_VERDICT_RETRY;
    case EPERM:
    case EACCES:
      return SRV_ACCEPT_VERDICT_REFUSED;
    case EBADF:
    case ENOTSOCK:
    case EINVAL:
    case EFAULT:
      return SRV_ACCEPT_VERDICT_FATAL;
    default:
      return SRV_ACCEPT_VERDICT_SHORTAGE;
    }
}

void
srv_shortage_note (SrvShortage *self,
                   SrvBaseServer *server,
                   const GError *error)
{
  gint64 now = g_get_monotonic_time ();
  gboolean first = self->pause_ms == 0;

  self->n_failures++;
  self->pause_ms = first ? FIRST_PAUSE_MS
                         : MIN (self->pause_ms * 2, LONGEST_PAUSE_MS);
  self->resume_at = now + (gint64) self->pause_ms * 1000;
  if (!first && now < self->next_report)
    return;
  self->next_report = now + REPORT_EVERY_US;
  srv_log (G_LOG_LEVEL_WARNING, "shortage", server, NULL,
           "no new requests for now, %" G_GUINT64_FORMAT " tries failed: %s",
           self->n_failures, error->message);
}

void
srv_shortage_end (SrvShortage *self, SrvBaseServer *server)
{
  if (self->pause_ms == 0)
    return;
  srv_log (G_LOG_LEVEL_MESSAGE, "shortage-over", server, NULL,
           "requests are taken again, after %" G_GUINT64_FORMAT " failed tries",
           self->n_failures);
  *self = (SrvShortage){ 0 };
}

/* Something of ours was given back: it may be enough. */
void
srv_shortage_retry_now (SrvShortage *self)
{
  self->resume_at = 0;
}

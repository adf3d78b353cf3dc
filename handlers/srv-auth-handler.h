/* srv-auth-handler.h - logs its clients in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The protocol, in lines of UTF-8 text, each with a newline at its end. The
 * client asks; in what it gives, a space is written as %20 and a percent sign as
 * %25, and any byte may be. To each command there is one answer:
 *
 *     register NAME PASSWORD   ok                makes an account
 *     login NAME PASSWORD      ok TOKEN          logs in
 *     resume TOKEN             ok NAME           logs in with a token
 *     whoami                   ok NAME
 *     rotate                   ok TOKEN          a new token for the session
 *     sessions                 ok N              and N lines, see below
 *     revoke NUMBER            ok                ends a session
 *     revoke all               ok                ends all sessions, this one too
 *     password OLD NEW         ok                and ends all sessions
 *     logout                   ok                ends the session
 *     quit                     ok                and the connection ends
 *
 * The lines after `sessions`: `session NUMBER CREATED LAST-USED EXPIRES ADDRESS`
 * with times in seconds of Unix time, and ` current` at the end of one of them.
 *
 * The other answers:
 *
 *     refused login       wrong name or password
 *     refused banned      the account is banned
 *     refused session     not logged in, or not any more
 *     refused insecure    others could hear the password
 *     refused closed      nobody can register here
 *     refused name        the name cannot be had
 *     refused exists      the name is taken
 *     refused password    the new password is too short or too long
 *     refused missing     there is no such session
 *     refused full        there are too many accounts
 *     wait SECONDS        too many failed attempts, or too many new accounts
 *     busy                too many passwords are being checked
 *     failed              the store has failed; the connection ends
 *     bad command         not understood; after a line that is too long or no
 *                         text, the connection ends
 *
 * The tutorials' dialogue has no commands: the server asks an address that it
 * does not know for a name, and everybody for a password, greets, gives a token
 * and ends. The token, after the word `token` and a space, is as good as the
 * password next time.
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_AUTH_HANDLER (srv_auth_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvAuthHandler,
                          srv_auth_handler,
                          SRV,
                          AUTH_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvAuthHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS

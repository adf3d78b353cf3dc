/* srv-upload-handler.h - takes files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The protocol, version 1. Lines end with LF and are at most 1024 bytes long;
 * sizes and offsets are decimal numbers of bytes.
 *
 *   client: upload 1 SIZE NAME CHECKSUM
 *   server: go OFFSET
 *   client: SIZE - OFFSET bytes: the file from OFFSET on
 *   server: stored SIZE NAME CHECKSUM
 *
 * NAME is one component of UTF-8; bytes other than printable ASCII, and `%`
 * and the space, are written %XX. The reply has the name that the file really
 * got.
 *
 * CHECKSUM is the SHA-256 of the whole file in 64 hexadecimal digits, or `-`.
 * With one, the server compares it, and what has come of an upload that is cut
 * off can be resumed: the same header again gets the OFFSET from which to go
 * on. Without one OFFSET is always 0.
 *
 * Instead of `go` or `stored` the server may say, at any time after the header:
 *
 *   server: refused WORD TEXT
 *
 * TEXT is for people. WORD is for programs:
 *
 *   bad-name   no file can have this name here
 *   too-large  the file is larger than the server takes
 *   quota      the directory is full, or has too many files
 *   no-space   the disk is full
 *   exists     the name is taken
 *   busy       the same file is just being sent, or the directory is locked
 *   checksum   what has come has another checksum
 *   failed     the server could not write
 *
 * and, as the last thing before it closes the connection:
 *
 *   bad-header, bad-size  the header could not be understood
 *   truncated  the client ended before the file did
 *   timeout    the client was silent, or too slow
 *   stopping   the server ends
 *   no-space, failed  while the file is being sent
 *
 * After any other line the next header may follow. A file whose client has read
 * `stored` is on the disk, whole, and survives the end of the server and of the
 * machine. A client that sends while the server refuses should look for its
 * line; the server does not read for ever.
 *
 * The tutorial's protocol, if the store allows it:
 *
 *   client: post|NAME|SIZE
 *   client: SIZE bytes
 *
 * without anything between the two and without a reply. The digits end the
 * header; if the file begins with a digit and comes in the same packet, they do
 * not. The next header follows at once. Whatever is refused ends the
 * connection.
 */

#pragma once

#include "srv-upload-store.h"

G_BEGIN_DECLS

#define SRV_TYPE_UPLOAD_HANDLER (srv_upload_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvUploadHandler,
                      srv_upload_handler,
                      SRV,
                      UPLOAD_HANDLER,
                      SrvStreamRequestHandler)

SRV_AVAILABLE_IN_ALL
void srv_upload_handler_install (SrvBaseServer *server, SrvUploadStore *store);

G_END_DECLS

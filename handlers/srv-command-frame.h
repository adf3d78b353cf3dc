/* srv-command-frame.h - what goes over the wire to a command server and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

/**
 * SRV_COMMAND_FRAME_HEADER_SIZE:
 *
 * The size of what stands before each frame: four bytes of length, one of type.
 */
#define SRV_COMMAND_FRAME_HEADER_SIZE 5

/**
 * SrvCommandFrame:
 * @SRV_COMMAND_FRAME_RUN: from the client: name and arguments of an allowed
 *   command, each followed by a NUL byte but the last
 * @SRV_COMMAND_FRAME_SHELL: from the client: one line for the shell
 * @SRV_COMMAND_FRAME_OUTPUT: from the server: a piece of standard output
 * @SRV_COMMAND_FRAME_ERROR_OUTPUT: from the server: a piece of standard error
 * @SRV_COMMAND_FRAME_EXIT: from the server: how the command ended; the last
 *   frame of each answer
 *
 * The types of frames. The values are those on the wire.
 */
typedef enum
{
  SRV_COMMAND_FRAME_RUN = 'R',
  SRV_COMMAND_FRAME_SHELL = 'S',
  SRV_COMMAND_FRAME_OUTPUT = 'o',
  SRV_COMMAND_FRAME_ERROR_OUTPUT = 'e',
  SRV_COMMAND_FRAME_EXIT = 'x',
} SrvCommandFrame;

#define SRV_TYPE_COMMAND_FRAME (srv_command_frame_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_command_frame_get_type (void);

/**
 * SrvCommandEnd:
 * @SRV_COMMAND_END_EXITED: it ended by itself, with an exit status
 * @SRV_COMMAND_END_SIGNALED: a signal ended it
 * @SRV_COMMAND_END_REFUSED: it was never started
 *
 * How a command ended. The values are those on the wire.
 */
typedef enum
{
  SRV_COMMAND_END_EXITED,
  SRV_COMMAND_END_SIGNALED,
  SRV_COMMAND_END_REFUSED,
} SrvCommandEnd;

#define SRV_TYPE_COMMAND_END (srv_command_end_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_command_end_get_type (void);

SRV_AVAILABLE_IN_ALL
void srv_command_frame_pack_header (guint8 *header,
                                    SrvCommandFrame type,
                                    guint32 length);

SRV_AVAILABLE_IN_ALL
gboolean srv_command_frame_unpack_header (const guint8 *header,
                                          gsize max_length,
                                          SrvCommandFrame *type,
                                          guint32 *length,
                                          GError **error);

SRV_AVAILABLE_IN_ALL
GBytes *srv_command_frame_pack_request (const char *const *argv);

SRV_AVAILABLE_IN_ALL
char **srv_command_frame_unpack_request (const guint8 *payload,
                                         gsize length,
                                         GError **error);

SRV_AVAILABLE_IN_ALL
GBytes *srv_command_frame_pack_exit (SrvCommandEnd end,
                                     guint8 code,
                                     const char *reason);

SRV_AVAILABLE_IN_ALL
gboolean srv_command_frame_unpack_exit (const guint8 *payload,
                                        gsize length,
                                        SrvCommandEnd *end,
                                        guint8 *code,
                                        char **reason,
                                        GError **error);

G_END_DECLS

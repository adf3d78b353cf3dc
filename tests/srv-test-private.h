/* srv-test-private.h - what the parts of the tests' library know of each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

/* Shared memory: mapped before the first test, empty at each one's start. */
void srv_test_map_shared (void);
void srv_test_unmap_shared (void);
void srv_test_reset_shared (void);
void srv_test_note_error (const GError *error);
void srv_test_note_verdict (int verdict);

void srv_test_forget_faults (void);

/* What the process has when a test begins, and that it has no more at its
 * end. */
void srv_test_remember_process (void);
void srv_test_check_process (void);

GLogWriterOutput srv_test_write_log (GLogLevelFlags level,
                                     const GLogField *fields,
                                     gsize n_fields,
                                     gpointer user_data);

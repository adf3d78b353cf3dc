/* fuzz.h - what every fuzz target includes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A target is one file with one function. libFuzzer's main calls it with what
 * it invents, that of replay.c with what the corpus holds.
 */

#pragma once

#include <socketserver.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

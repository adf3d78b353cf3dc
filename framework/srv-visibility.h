/* srv-visibility.h - which symbols leave the library
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/**
 * SRV_AVAILABLE_IN_ALL:
 *
 * Marks a function of the public interface. Everything else is built with
 * hidden visibility and cannot be reached from outside.
 */
#define SRV_AVAILABLE_IN_ALL __attribute__ ((visibility ("default"))) extern

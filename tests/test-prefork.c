/* test-prefork.c - processes that serve one request after the other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

int
main (void)
{
  return 0;
}

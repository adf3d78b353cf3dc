/* fuzz-command.c - what a command server and its client read
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Input is a stream of frames. Each is taken apart as a request, as an end, and
 * looked up in an allow-list; nothing is run. What was taken apart must give the
 * same bytes when it is put together.
 */

#include "fuzz.h"
#include "srv-command-frame.h"
#include "srv-command-policy-private.h"

#define MAX_PAYLOAD 4096

/* One command without arguments, one with two, one with anything. */
static SrvCommandPolicy *
get_policy (void)
{
  static SrvCommandPolicy *policy;
  const char *const plain[] = { "/bin/true", NULL };
  const char *const two[] = { "/bin/true", "-n{1}", "--", "/a/{2}", NULL };
  const char *const any[] = { "/bin/true", "{1}", NULL };
  const char *const numbers[] = { "[1-9][0-9]{0,3}", NULL };
  const char *const anything[] = { "(?s).*", NULL };

  if (policy == NULL)
    {
      policy = srv_command_policy_new ();
      srv_command_policy_add_command (policy, "plain", plain, NULL, NULL);
      srv_command_policy_add_command (policy, "two", two, numbers, NULL);
      srv_command_policy_add_command (policy, "any", any, anything, NULL);
    }
  return policy;
}

/* What is allowed starts with the program, and has as many arguments as its
 * template: none can be smuggled in. */
static void
check_plan (char **request)
{
  g_autoptr (SrvCommandPlan) plan =
    srv_command_policy_plan (get_policy (), (const char *const *) request,
                             NULL);
  guint n;

  if (plan == NULL)
    return;
  n = g_strv_length (plan->argv);
  g_assert_cmpstr (plan->argv[0], ==, "/bin/true");
  g_assert_cmpuint (n, ==,
                    strcmp (request[0], "plain") == 0 ? 1
                    : strcmp (request[0], "two") == 0 ? 4
                                                      : 2);
  if (n == 4)
    g_assert_null (strchr (plan->argv[3] + strlen ("/a/"), '/'));
}

static void
check_request (const guint8 *payload, gsize length)
{
  g_auto (GStrv) argv =
    srv_command_frame_unpack_request (payload, length, NULL);
  g_autoptr (GBytes) packed = NULL;

  if (argv == NULL)
    return;
  packed = srv_command_frame_pack_request ((const char *const *) argv);
  g_assert_cmpmem (g_bytes_get_data (packed, NULL), g_bytes_get_size (packed),
                   payload, length);
  check_plan (argv);
}

static void
check_exit (const guint8 *payload, gsize length)
{
  g_autofree char *reason = NULL;
  SrvCommandEnd end;
  guint8 code;

  if (!srv_command_frame_unpack_exit (payload, length, &end, &code, &reason,
                                      NULL))
    return;
  for (const char *c = reason; *c != '\0'; c++)
    g_assert_true ((guchar) *c >= ' ' && *c != 0x7f);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  SrvCommandFrame type;
  guint32 length;

  while (
    size >= SRV_COMMAND_FRAME_HEADER_SIZE &&
    srv_command_frame_unpack_header (data, MAX_PAYLOAD, &type, &length, NULL))
    {
      guint8 header[SRV_COMMAND_FRAME_HEADER_SIZE];

      srv_command_frame_pack_header (header, type, length);
      g_assert_cmpmem (header, sizeof header, data, sizeof header);
      data += sizeof header;
      size -= sizeof header;
      length = (guint32) MIN (length, size);
      check_request (data, length);
      check_exit (data, length);
      data += length;
      size -= length;
    }
  return 0;
}

/* fuzz-upload.c - any bytes as the header of an upload
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Besides not crashing: bytes that come one by one give the same header as
 * bytes that come at once, a size is one that a file can have, and a name that
 * is accepted is one component of a path.
 */

#include "fuzz.h"
#include "srv-upload-protocol-private.h"

static void
check_header (const SrvUploadHeader *header)
{
  g_autofree char *line = NULL;

  g_assert_cmpuint (header->size, <=, G_MAXINT64);
  if (header->checksum != NULL)
    g_assert_cmpuint (strlen (header->checksum), ==, 64);
  if (!srv_upload_check_name (header->name, header->name_length, NULL))
    return;
  g_assert_cmpuint (strlen (header->name), ==, header->name_length);
  g_assert_cmpuint (header->name_length, <=, 255);
  g_assert_null (strchr (header->name, '/'));
  g_assert_true (header->name[0] != '.' && header->name[0] != '\0');
  line = srv_upload_format_stored (header->size, header->name, "-");
  g_assert_true (strchr (line, '\n') == line + strlen (line) - 1);
}

static void
check_refusal (const GError *error)
{
  g_autofree char *line = srv_upload_format_refused (error);

  g_assert_true (strchr (line, '\n') == line + strlen (line) - 1);
}

/* As it would come from a slow client: the first answer counts. */
static gssize
parse_bytewise (const char *data,
                gsize size,
                gboolean allow_post,
                SrvUploadHeader *header)
{
  for (gsize length = 0; length <= size; length++)
    {
      gssize used =
        srv_upload_header_parse (data, length, allow_post, header, NULL);

      if (used != 0)
        return used;
    }
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;

  for (int allow_post = 0; allow_post <= 1; allow_post++)
    {
      g_auto (SrvUploadHeader) at_once = { 0 };
      g_auto (SrvUploadHeader) bytewise = { 0 };
      g_autoptr (GError) error = NULL;
      gssize used =
        srv_upload_header_parse (text, size, allow_post, &at_once, &error);
      gssize slow = parse_bytewise (text, size, allow_post, &bytewise);

      g_assert_true ((used < 0) == (error != NULL));
      if (error != NULL)
        check_refusal (error);
      if (used > 0)
        check_header (&at_once);
      if (slow > 0)
        check_header (&bytewise);
      /* Of the digits that end the other header, one by one means fewer. */
      if (used > 0 && !at_once.is_post)
        g_assert_cmpint (slow, ==, used);
      g_assert_cmpint (used, <=, (gssize) size);
    }
  return 0;
}

/* test-upload-store.c - headers, names, and files on their way into a store
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include "srv-upload-file-private.h"
#include "srv-upload-protocol-private.h"
#include "srv-upload-store-private.h"

#include <glib/gstdio.h>
#include <sys/resource.h>

#define HASH "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b"
#define TEXT "hello, world"

/* Headers. */

static const struct
{
  const char *text;
  int code; /* -1: good */
  guint64 size;
  const char *name;
} headers[] = {
  { "upload 1 12 a.txt -\n", -1, 12, "a.txt" },
  { "upload 1 12 a.txt -\r\n", -1, 12, "a.txt" },
  { "upload 1 0 a%20b -\n", -1, 0, "a b" },
  { "upload 1 1 %D0%BF " HASH "\n", -1, 1, "п" },
  { "upload 1 9223372036854775807 a -\n", -1, G_MAXINT64, "a" },
  { "upload 1 9223372036854775808 a -\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0, NULL },
  { "upload 1 99999999999999999999999 a -\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0,
    NULL },
  { "upload 1 -1 a -\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0, NULL },
  { "upload 1 +1 a -\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0, NULL },
  { "upload 1 0x1 a -\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0, NULL },
  { "upload 1  a -\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0, NULL },
  { "upload 1 1 a\n", SRV_UPLOAD_ERROR_BAD_HEADER, 0, NULL },
  { "upload 1 1 a b -\n", SRV_UPLOAD_ERROR_BAD_HEADER, 0, NULL },
  { "upload 1 1 a 1234\n", SRV_UPLOAD_ERROR_BAD_HEADER, 0, NULL },
  { "upload 1 1 a%2 -\n", SRV_UPLOAD_ERROR_BAD_HEADER, 0, NULL },
  { "upload 1 1 a%zz -\n", SRV_UPLOAD_ERROR_BAD_HEADER, 0, NULL },
  { "upload 2 1 a -\n", SRV_UPLOAD_ERROR_BAD_HEADER, 0, NULL },
  { "GET / HTTP/1.1\r\n", SRV_UPLOAD_ERROR_BAD_HEADER, 0, NULL },
  { "post|a.txt|5\n", -1, 5, "a.txt" },
  { "post|a b.txt|50hello", -1, 50, "a b.txt" },
  { "post|a|-1\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0, NULL },
  { "post|a|b|3\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0, NULL },
  { "post|a|9223372036854775808\n", SRV_UPLOAD_ERROR_BAD_SIZE, 0, NULL },
};

/* What a header means does not depend on how it was cut into pieces, but for
 * the digits that end the tutorial's. */
START_TEST (header_is_understood)
{
  const char *text = headers[_i].text;
  const gboolean is_post = g_str_has_prefix (text, "post");
  g_auto (SrvUploadHeader) header = { 0 };
  g_autoptr (GError) error = NULL;
  gssize used = 0;
  gsize length = is_post ? strlen (text) : 0;

  while (used == 0 && length <= strlen (text))
    used = srv_upload_header_parse (text, length++, TRUE, &header, &error);

  if (headers[_i].code >= 0)
    {
      ck_assert_int_eq (used, -1);
      srv_test_assert_error (error, SRV_UPLOAD_ERROR, headers[_i].code);
      return;
    }
  srv_test_assert_no_error (error);
  ck_assert_int_gt (used, 0);
  ck_assert_uint_eq (header.size, headers[_i].size);
  ck_assert_str_eq (header.name, headers[_i].name);
  ck_assert_int_eq (header.is_post, is_post);
  ck_assert_int_eq (header.checksum != NULL, strstr (text, HASH) != NULL);
}
END_TEST

START_TEST (post_is_understood_only_if_allowed)
{
  g_auto (SrvUploadHeader) header = { 0 };
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (srv_upload_header_parse ("post|a|5", 8, FALSE, &header,
                                             &error),
                    -1);
  srv_test_assert_error (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_BAD_HEADER);
}
END_TEST

START_TEST (endless_header_is_refused)
{
  g_autofree char *text = g_strnfill (SRV_UPLOAD_MAX_HEADER, '1');
  g_auto (SrvUploadHeader) header = { 0 };
  g_autoptr (GError) error = NULL;

  memcpy (text, _i == 0 ? "upload 1 " : "post|aaaa", 9);
  ck_assert_int_eq (srv_upload_header_parse (text, SRV_UPLOAD_MAX_HEADER - 1,
                                             TRUE, &header, NULL),
                    0);
  ck_assert_int_eq (srv_upload_header_parse (text, SRV_UPLOAD_MAX_HEADER, TRUE,
                                             &header, &error),
                    -1);
  srv_test_assert_error (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_BAD_HEADER);
}
END_TEST

#define LONG_NAME                                                    \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static const struct
{
  const char *name;
  gsize length; /* 0: by the NUL */
  gboolean good;
} names[] = {
  { "a", 0, TRUE },
  { "hello world.txt", 0, TRUE },
  { "привет.txt", 0, TRUE },
  { "-rf", 0, TRUE },
  { LONG_NAME, 0, TRUE },
  { LONG_NAME "f", 0, FALSE },
  { "", 0, FALSE },
  { ".", 0, FALSE },
  { "..", 0, FALSE },
  { ".profile", 0, FALSE },
  { ".srv-upload-lock", 0, FALSE },
  { "../../etc/passwd", 0, FALSE },
  { "/etc/passwd", 0, FALSE },
  { "a/b", 0, FALSE },
  { "a\\b", 0, FALSE },
  { "a\0b", 3, FALSE },
  { "a\nb", 0, FALSE },
  { "a\033[2J", 0, FALSE },
  { "a\177", 0, FALSE },
  { "a\302\233", 0, FALSE },
  { "a\342\200\256txt.exe", 0, FALSE },
  { "a\377", 0, FALSE },
};

START_TEST (name_is_one_plain_component)
{
  gsize length = names[_i].length > 0 ? names[_i].length
                                      : strlen (names[_i].name);
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (srv_upload_check_name (names[_i].name, length, &error),
                    names[_i].good);
  ck_assert_int_eq (error == NULL, names[_i].good);
}
END_TEST

/* Files. Each test has a directory `store` in its own. */

static char *
in_store (const char *name)
{
  return g_build_filename (srv_test_directory (), "store", name, NULL);
}

static SrvUploadStore *
make_store (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = in_store (NULL);
  SrvUploadStore *store;

  ck_assert_int_eq (g_mkdir_with_parents (directory, 0700), 0);
  store = srv_upload_store_new (directory, &error);
  srv_test_assert_no_error (error);
  return store;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The names in the store but the lock's, sorted, with their lengths. */
static char *
list_store (void)
{
  g_autofree char *directory = in_store (NULL);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = in_store (name);
      struct stat status;

      if (g_str_equal (name, ".srv-upload-lock"))
        continue;
      ck_assert_int_eq (lstat (path, &status), 0);
      g_ptr_array_add (found, g_strdup_printf ("%.14s:%d", name,
                                               (int) status.st_size));
    }
  g_ptr_array_sort (found, compare_names);
  g_ptr_array_add (found, NULL);
  return g_strjoinv (" ", (char **) found->pdata);
}

static void
assert_store (const char *expected)
{
  g_autofree char *found = list_store ();

  ck_assert_str_eq (found, expected);
}

static void
drop_store (SrvUploadStore *store)
{
  g_autofree char *directory = in_store (NULL);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  g_object_unref (store);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = in_store (name);

      g_unlink (path);
    }
  g_rmdir (directory);
}

static SrvUploadHeader
make_header (const char *name, guint64 size, const char *checksum)
{
  return (SrvUploadHeader){ .name = g_strdup (name),
                            .name_length = strlen (name),
                            .size = size,
                            .checksum = g_strdup (checksum) };
}

static void
write_text (SrvUploadFile *file, const char *text)
{
  g_autoptr (GError) error = NULL;

  srv_upload_file_set_chunk (file, (const guint8 *) text, strlen (text));
  ck_assert (srv_upload_file_write (file, &error));
  srv_test_assert_no_error (error);
}

static void
assert_begins (SrvUploadFile *file, guint64 offset)
{
  g_autoptr (GError) error = NULL;

  ck_assert (srv_upload_file_begin (file, &error));
  srv_test_assert_no_error (error);
  ck_assert_uint_eq (srv_upload_file_get_received (file), offset);
}

static void
assert_refused (SrvUploadStore *store, const SrvUploadHeader *header, int code)
{
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, header);
  g_autoptr (GError) error = NULL;

  ck_assert (!srv_upload_file_begin (file, &error));
  srv_test_assert_error (error, SRV_UPLOAD_ERROR, code);
}

static void
store_text (SrvUploadStore *store, const char *name, const char *stored_as)
{
  g_auto (SrvUploadHeader) header = make_header (name, strlen (TEXT), HASH);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &header);
  g_autoptr (GError) error = NULL;

  assert_begins (file, 0);
  write_text (file, TEXT);
  ck_assert (srv_upload_file_commit (file, &error));
  srv_test_assert_no_error (error);
  ck_assert_str_eq (srv_upload_file_get_name (file), stored_as);
  ck_assert_str_eq (srv_upload_file_get_checksum (file), HASH);
}

START_TEST (file_appears_when_it_is_whole)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a", strlen (TEXT), NULL);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &header);
  g_autoptr (GError) error = NULL;

  assert_begins (file, 0);
  write_text (file, "hello");
  assert_store (".srv-upload-t-:5");
  write_text (file, ", world");
  ck_assert (srv_upload_file_commit (file, &error));
  assert_store ("a:12");
  drop_store (store);
}
END_TEST

static const struct
{
  SrvUploadExisting existing;
  const char *second;
  const char *after;
} policies[] = {
  { SRV_UPLOAD_EXISTING_REFUSE, NULL, "a.txt:3" },
  { SRV_UPLOAD_EXISTING_REPLACE, "a.txt", "a.txt:12" },
  { SRV_UPLOAD_EXISTING_KEEP_BOTH, "a-2.txt", "a-2.txt:12 a.txt:3" },
};

START_TEST (policy_says_what_happens_to_a_taken_name)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a.txt", 12, NULL);
  g_autofree char *path = in_store ("a.txt");

  g_object_set (store, "existing", policies[_i].existing, NULL);
  ck_assert (g_file_set_contents (path, "old", -1, NULL));
  if (policies[_i].second != NULL)
    store_text (store, "a.txt", policies[_i].second);
  else
    assert_refused (store, &header, SRV_UPLOAD_ERROR_EXISTS);
  assert_store (policies[_i].after);
  drop_store (store);
}
END_TEST

/* Both begin, one wins, the other is told. */
START_TEST (name_that_is_taken_meanwhile_is_kept)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a", 3, NULL);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &header);
  g_autoptr (GError) error = NULL;

  assert_begins (file, 0);
  write_text (file, "abc");
  store_text (store, "a", "a");
  ck_assert (!srv_upload_file_commit (file, &error));
  srv_test_assert_error (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_EXISTS);
  g_clear_pointer (&file, srv_upload_file_free);
  assert_store ("a:12");
  drop_store (store);
}
END_TEST

START_TEST (wrong_checksum_is_refused)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a", strlen (TEXT), HASH);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &header);
  g_autoptr (GError) error = NULL;

  assert_begins (file, 0);
  write_text (file, "HELLO, world");
  ck_assert (!srv_upload_file_commit (file, &error));
  srv_test_assert_error (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_CHECKSUM);
  g_clear_pointer (&file, srv_upload_file_free);
  assert_store ("");
  drop_store (store);
}
END_TEST

/* What has come is kept only for those who can find it again; nobody else can
 * write to it meanwhile; and its checksum is that of the whole. */
START_TEST (broken_upload_is_resumed)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a", strlen (TEXT), HASH);
  g_auto (SrvUploadHeader) nameless = make_header ("b", strlen (TEXT), NULL);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &header);
  g_autoptr (SrvUploadFile) lost = srv_upload_file_new (store, &nameless);
  g_autoptr (GError) error = NULL;

  assert_begins (file, 0);
  assert_begins (lost, 0);
  write_text (file, "hello");
  write_text (lost, "hello");
  assert_refused (store, &header, SRV_UPLOAD_ERROR_BUSY);
  g_clear_pointer (&file, srv_upload_file_free);
  g_clear_pointer (&lost, srv_upload_file_free);
  assert_store (".srv-upload-p-:5");

  file = srv_upload_file_new (store, &header);
  assert_begins (file, 5);
  write_text (file, ", world");
  ck_assert (srv_upload_file_commit (file, &error));
  srv_test_assert_no_error (error);
  assert_store ("a:12");
  drop_store (store);
}
END_TEST

/* Somebody who was killed leaves a file without a lock. */
START_TEST (what_killed_uploads_leave_is_removed)
{
  const char *temporary = ".srv-upload-t-000000000000000c-0123456789abcdef";
  const char *partial = ".srv-upload-p-000000000000000c-0123456789abcdef";
  g_autofree char *temporary_path = in_store (temporary);
  g_autofree char *partial_path = in_store (partial);
  g_autoptr (GError) error = NULL;
  SrvUploadStore *store = make_store ();

  ck_assert (g_file_set_contents (temporary_path, "hello", -1, NULL));
  ck_assert (g_file_set_contents (partial_path, "hello", -1, NULL));
  g_object_unref (store);
  store = make_store ();
  assert_store (".srv-upload-p-:5");

  g_object_set (store, "partial-lifetime", 0, NULL);
  if (_i == 0)
    ck_assert (srv_upload_store_clean_up (store, &error));
  else
    store_text (store, "a", "a");
  srv_test_assert_no_error (error);
  assert_store (_i == 0 ? "" : "a:12");
  drop_store (store);
}
END_TEST

/* Limits. */

START_TEST (limits_are_kept_before_the_first_byte)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a", 100, NULL);

  g_object_set (store, "max-file-size", (guint64) 99, NULL);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_TOO_LARGE);
  g_object_set (store, "max-file-size", (guint64) 100, "quota", (guint64) 99,
                NULL);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_QUOTA);
  g_object_set (store, "quota", (guint64) 100, "max-files", 0, NULL);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_QUOTA);
  g_object_set (store, "max-files", 1, "keep-free", (guint64) G_MAXINT64, NULL);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_NO_SPACE);
  assert_store ("");
  g_object_set (store, "keep-free", (guint64) 0, NULL);
  store_text (store, "a", "a");
  drop_store (store);
}
END_TEST

/* The greatest size there is must not overflow a sum. */
START_TEST (greatest_size_is_refused)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("b", G_MAXINT64, NULL);

  store_text (store, "a", "a");
  g_object_set (store, "max-file-size", (guint64) G_MAXINT64, NULL);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_QUOTA);
  g_object_set (store, "quota", (guint64) G_MAXINT64, NULL);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_QUOTA);
  assert_store ("a:12");
  drop_store (store);
}
END_TEST

/* Room is taken when an upload begins, not when its bytes come. */
START_TEST (running_uploads_count_whole)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) first = make_header ("a", 60, NULL);
  g_auto (SrvUploadHeader) second = make_header ("b", 50, NULL);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &first);

  g_object_set (store, "quota", (guint64) 100, NULL);
  assert_begins (file, 0);
  write_text (file, "hello");
  assert_refused (store, &second, SRV_UPLOAD_ERROR_QUOTA);
  g_clear_pointer (&file, srv_upload_file_free);

  file = srv_upload_file_new (store, &second);
  assert_begins (file, 0);
  g_clear_pointer (&file, srv_upload_file_free);
  assert_store ("");
  drop_store (store);
}
END_TEST

START_TEST (limit_of_the_process_is_no_signal)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a", 100000001, NULL);
  struct rlimit before, limit;

  ck_assert_int_eq (getrlimit (RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 100000000;
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_NO_SPACE);
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &before), 0);
  assert_store ("");
  drop_store (store);
}
END_TEST

/* The disk is full in the middle of a file, on a file system that could not
 * reserve the room. */
START_TEST (trouble_with_the_disk_is_told)
{
  SrvUploadStore *store = make_store ();
  g_autofree char *text = g_strnfill (200000, 'x');
  g_auto (SrvUploadHeader) header = make_header ("a", 200000, NULL);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &header);
  g_autoptr (GError) error = NULL;
  struct rlimit before, limit;

  assert_begins (file, 0);
  signal (SIGXFSZ, SIG_IGN);
  ck_assert_int_eq (getrlimit (RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 100000;
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
  srv_upload_file_set_chunk (file, (const guint8 *) text, 200000);
  ck_assert (!srv_upload_file_write (file, &error));
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &before), 0);
  srv_test_assert_error (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_NO_SPACE);
  g_clear_pointer (&file, srv_upload_file_free);
  assert_store ("");
  drop_store (store);
}
END_TEST

/* Links. */

static char *
find_temporary (void)
{
  g_autofree char *directory = in_store (NULL);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, ".srv-upload-t-") ||
        g_str_has_prefix (name, ".srv-upload-p-"))
      return in_store (name);
  ck_abort_msg ("there is no temporary file");
}

/* Somebody puts a link in the place of the temporary file. */
START_TEST (swapped_temporary_is_not_published)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header =
    make_header ("a", strlen (TEXT), _i == 0 ? NULL : HASH);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &header);
  g_autofree char *victim = srv_test_path ("victim");
  g_autofree char *temporary = NULL;
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert (g_file_set_contents (victim, "precious", -1, NULL));
  assert_begins (file, 0);
  temporary = find_temporary ();
  ck_assert_int_eq (g_unlink (temporary), 0);
  ck_assert_int_eq (symlink (victim, temporary), 0);
  write_text (file, TEXT);
  ck_assert (!srv_upload_file_commit (file, &error));
  srv_test_assert_error (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_FAILED);
  g_clear_pointer (&file, srv_upload_file_free);

  ck_assert (g_file_get_contents (victim, &content, NULL, NULL));
  ck_assert_str_eq (content, "precious");
  /* The link is no upload of anybody's: the next one removes it. */
  store_text (store, "b", "b");
  assert_store ("b:12");
  g_unlink (victim);
  drop_store (store);
}
END_TEST

/* A link waits at the name of a part, which can be told beforehand. */
START_TEST (link_at_a_partial_name_is_not_followed)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a", strlen (TEXT), HASH);
  g_autoptr (SrvUploadFile) file = srv_upload_file_new (store, &header);
  g_autofree char *victim = srv_test_path ("victim");
  g_autofree char *partial = NULL;
  g_autofree char *content = NULL;

  ck_assert (g_file_set_contents (victim, "pre", -1, NULL));
  assert_begins (file, 0);
  partial = find_temporary ();
  g_clear_pointer (&file, srv_upload_file_free);
  if (_i == 0)
    ck_assert_int_eq (symlink (victim, partial), 0);
  else
    ck_assert_int_eq (link (victim, partial), 0);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_FAILED);
  ck_assert (g_file_get_contents (victim, &content, NULL, NULL));
  ck_assert_str_eq (content, "pre");
  g_unlink (victim);
  drop_store (store);
}
END_TEST

/* A link at the name itself: it is in the way, or goes, but leads nowhere. */
START_TEST (link_at_the_name_is_not_followed)
{
  SrvUploadStore *store = make_store ();
  g_auto (SrvUploadHeader) header = make_header ("a", strlen (TEXT), NULL);
  g_autofree char *victim = srv_test_path ("victim");
  g_autofree char *path = in_store ("a");

  ck_assert_int_eq (symlink (victim, path), 0);
  assert_refused (store, &header, SRV_UPLOAD_ERROR_EXISTS);
  g_object_set (store, "existing", SRV_UPLOAD_EXISTING_REPLACE, NULL);
  store_text (store, "a", "a");
  ck_assert (!g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  ck_assert (!g_file_test (victim, G_FILE_TEST_EXISTS));
  drop_store (store);
}
END_TEST

START_TEST (store_needs_a_directory)
{
  g_autofree char *path = srv_test_path ("nowhere");
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (srv_upload_store_new (path, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "header", header_is_understood, (int) G_N_ELEMENTS (headers) },
    { "header", post_is_understood_only_if_allowed, 1 },
    { "header", endless_header_is_refused, 2 },
    { "header", name_is_one_plain_component, (int) G_N_ELEMENTS (names) },
    { "file", file_appears_when_it_is_whole, 1 },
    { "file", policy_says_what_happens_to_a_taken_name,
      (int) G_N_ELEMENTS (policies) },
    { "file", name_that_is_taken_meanwhile_is_kept, 1 },
    { "file", wrong_checksum_is_refused, 1 },
    { "file", broken_upload_is_resumed, 1 },
    { "file", what_killed_uploads_leave_is_removed, 2 },
    { "file", store_needs_a_directory, 1 },
    { "limits", limits_are_kept_before_the_first_byte, 1 },
    { "limits", greatest_size_is_refused, 1 },
    { "limits", running_uploads_count_whole, 1 },
    { "limits", limit_of_the_process_is_no_signal, 1 },
    { "limits", trouble_with_the_disk_is_told, 1 },
    { "links", swapped_temporary_is_not_published, 2 },
    { "links", link_at_a_partial_name_is_not_followed, 2 },
    { "links", link_at_the_name_is_not_followed, 1 },
  };

  return srv_test_run_entries ("UploadStore", tests, G_N_ELEMENTS (tests));
}

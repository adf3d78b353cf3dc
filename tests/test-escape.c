/* test-escape.c - text from the network, made safe to show
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#define BYTES(literal) literal, (gssize) sizeof (literal) - 1

static const struct
{
  const char *text;
  gssize length;
  const char *expected;
} table[] = {
  { BYTES (""), "" },
  { BYTES ("plain text, 100%"), "plain text, 100%" },
  { BYTES ("tab\tend"), "tab\\tend" },
  { BYTES ("a\nb\r\n"), "a\\nb\\r\\n" },
  { BYTES ("\\n"), "\\\\n" },
  { BYTES ("\x1b[31mred"), "\\x1b[31mred" },
  { BYTES ("a\0b"), "a\\x00b" },
  { BYTES ("\x07\x7f"), "\\x07\\x7f" },
  { BYTES ("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f" },
  { BYTES ("\xe2\x82\xac \xf0\x9f\x98\x80"), "\xe2\x82\xac \xf0\x9f\x98\x80" },
  { BYTES ("\xff\xfe"), "\\xff\\xfe" },
  { BYTES ("\xc3"), "\\xc3" },
  { BYTES ("a\xc3(b"), "a\\xc3(b" },
  { BYTES ("\xc0\xaf"), "\\xc0\\xaf" },
  { BYTES ("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
  { BYTES ("\xe2\x80\xae"
           "evil"),
    "\\u{202e}evil" },
  { BYTES ("\xe2\x81\xa6x\xe2\x81\xa9"), "\\u{2066}x\\u{2069}" },
  { BYTES ("\xe2\x80\xa8"), "\\u{2028}" },
  { BYTES ("\xe2\x80\x8b"), "\\u{200b}" },
  { BYTES ("\xef\xbb\xbf"), "\\u{feff}" },
  { BYTES ("\xc2\x9b"
           "31m"),
    "\\u{9b}31m" },
};

/* Nothing that a client sends can forge a line of a log or command a terminal
 * (D rows on log injection). */
START_TEST (text_is_made_safe)
{
  g_autofree char *escaped = srv_escape (table[_i].text, table[_i].length);

  ck_assert_str_eq (escaped, table[_i].expected);
}
END_TEST

/* A negative length is that of the string. */
START_TEST (length_may_be_left_out)
{
  g_autofree char *escaped = srv_escape ("a\nb", -1);

  ck_assert_str_eq (escaped, "a\\nb");
}
END_TEST

static gboolean
is_printable_line (const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (!g_unichar_isprint (g_utf8_get_char (p)))
      return FALSE;
  return TRUE;
}

/* Any two bytes give a single valid printable line. */
START_TEST (result_is_one_printable_line)
{
  for (guint pair = 0; pair < 65536; pair++)
    {
      const char text[] = { (char) (pair >> 8), (char) pair };
      g_autofree char *escaped = srv_escape (text, 2);

      if (!is_printable_line (escaped))
        ck_abort_msg ("%04x", pair);
    }
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "escape", text_is_made_safe, (int) G_N_ELEMENTS (table) },
    { "escape", length_may_be_left_out, 1 },
    { "escape", result_is_one_printable_line, 1 },
  };

  return srv_test_run_entries ("Escape", tests, G_N_ELEMENTS (tests));
}

/* test-endpoint.c - endpoint strings, and what they stand for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "endpoint-test.h"

#include <arpa/inet.h>
#include <gio/gunixsocketaddress.h>

static void
assert_prints (const SrvEndpoint *endpoint, const char *expected)
{
  g_autofree char *string = srv_endpoint_to_string (endpoint);

  ck_assert_str_eq (string, expected);
}

/* What is read, what it means, and how it is printed; no canonical form: the
 * string itself is one. */
static const struct
{
  const char *string;
  SrvEndpointKind kind;
  const char *host;
  const char *service;
  const char *canonical;
} inet_strings[] = {
  { "tcp:127.0.0.1:9999", SRV_ENDPOINT_KIND_TCP, "127.0.0.1", "9999", NULL },
  { "udp:127.0.0.1:9999", SRV_ENDPOINT_KIND_UDP, "127.0.0.1", "9999", NULL },
  { "tcp:127.0.0.1:0", SRV_ENDPOINT_KIND_TCP, "127.0.0.1", "0", NULL },
  { "tcp:127.0.0.1:1", SRV_ENDPOINT_KIND_TCP, "127.0.0.1", "1", NULL },
  { "tcp:127.0.0.1:65535", SRV_ENDPOINT_KIND_TCP, "127.0.0.1", "65535", NULL },
  { "tcp:[::1]:9999", SRV_ENDPOINT_KIND_TCP, "::1", "9999", NULL },
  { "tcp:[::]:0", SRV_ENDPOINT_KIND_TCP, "::", "0", NULL },
  { "udp:[2001:db8::1]:53", SRV_ENDPOINT_KIND_UDP, "2001:db8::1", "53", NULL },
  { "tcp:[fe80::1%lo]:80", SRV_ENDPOINT_KIND_TCP, "fe80::1%lo", "80", NULL },
  { "tcp:[fe80::1%1]:80", SRV_ENDPOINT_KIND_TCP, "fe80::1%1", "80", NULL },
  { "tcp:localhost:http", SRV_ENDPOINT_KIND_TCP, "localhost", "http", NULL },
  { "udp:localhost:domain", SRV_ENDPOINT_KIND_UDP, "localhost", "domain",
    NULL },
  { "tcp:a-b.example.org:ftp-data", SRV_ENDPOINT_KIND_TCP, "a-b.example.org",
    "ftp-data", NULL },
  { "tcp:*:80", SRV_ENDPOINT_KIND_TCP, "", "80", "tcp::80" },
  { "tcp::80", SRV_ENDPOINT_KIND_TCP, "", "80", NULL },
  { "udp::domain", SRV_ENDPOINT_KIND_UDP, "", "domain", NULL },
};

/* Each transport's string means what the table of SrvEndpoint says. */
START_TEST (inet_string_is_read)
{
  g_autoptr (SrvEndpoint) endpoint = parse (inet_strings[_i].string);
  gsize length = 1;

  ck_assert_int_eq (srv_endpoint_get_kind (endpoint), inet_strings[_i].kind);
  ck_assert_str_eq (srv_endpoint_get_host (endpoint), inet_strings[_i].host);
  ck_assert_str_eq (srv_endpoint_get_service (endpoint),
                    inet_strings[_i].service);
  ck_assert_ptr_null (srv_endpoint_get_path (endpoint, &length));
  ck_assert_int_eq (srv_endpoint_get_fd (endpoint), -1);
}
END_TEST

/* Parser and printer are inverse. */
START_TEST (inet_string_is_printed_in_canonical_form)
{
  g_autoptr (SrvEndpoint) endpoint = parse (inet_strings[_i].string);
  g_autofree char *once = srv_endpoint_to_string (endpoint);
  g_autoptr (SrvEndpoint) again = parse (once);

  ck_assert_str_eq (once, inet_strings[_i].canonical != NULL
                            ? inet_strings[_i].canonical
                            : inet_strings[_i].string);
  assert_prints (again, once);
  ck_assert_str_eq (srv_endpoint_get_host (again), inet_strings[_i].host);
  ck_assert_str_eq (srv_endpoint_get_service (again), inet_strings[_i].service);
}
END_TEST

#define BYTES(literal) literal, sizeof (literal) - 1

static const struct
{
  const char *string;
  SrvEndpointKind kind;
  const char *path;
  gsize length;
  const char *canonical;
} unix_strings[] = {
  { "unix:/run/echo.sock", SRV_ENDPOINT_KIND_UNIX, BYTES ("/run/echo.sock"),
    NULL },
  { "unixgram:/run/echo.sock", SRV_ENDPOINT_KIND_UNIXGRAM,
    BYTES ("/run/echo.sock"), NULL },
  { "unix:relative", SRV_ENDPOINT_KIND_UNIX, BYTES ("relative"), NULL },
  { "unix:/with space", SRV_ENDPOINT_KIND_UNIX, BYTES ("/with space"),
    "unix:/with%20space" },
  { "unix:/with:colon", SRV_ENDPOINT_KIND_UNIX, BYTES ("/with:colon"), NULL },
  { "unix:/100%25", SRV_ENDPOINT_KIND_UNIX, BYTES ("/100%"), NULL },
  { "unix:/%2525", SRV_ENDPOINT_KIND_UNIX, BYTES ("/%25"), NULL },
  { "unix:/line%0Aend", SRV_ENDPOINT_KIND_UNIX, BYTES ("/line\nend"), NULL },
  { "unix:/line%0aend", SRV_ENDPOINT_KIND_UNIX, BYTES ("/line\nend"),
    "unix:/line%0Aend" },
  { "unix:/%FF", SRV_ENDPOINT_KIND_UNIX, BYTES ("/\xff"), NULL },
  { "unix:/%1B[31m", SRV_ENDPOINT_KIND_UNIX, BYTES ("/\x1b[31m"), NULL },
  { "unix:/%61", SRV_ENDPOINT_KIND_UNIX, BYTES ("/a"), "unix:/a" },
  { "unix:./@name", SRV_ENDPOINT_KIND_UNIX, BYTES ("./@name"), NULL },
  { "unix:@name", SRV_ENDPOINT_KIND_UNIX, BYTES ("\0name"), NULL },
  { "unixgram:@name", SRV_ENDPOINT_KIND_UNIXGRAM, BYTES ("\0name"), NULL },
  { "unix:@", SRV_ENDPOINT_KIND_UNIX, BYTES ("\0"), NULL },
  { "unix:@a%00b", SRV_ENDPOINT_KIND_UNIX, BYTES ("\0a\0b"), NULL },
  { "unix:@a%00", SRV_ENDPOINT_KIND_UNIX, BYTES ("\0a\0"), NULL },
  { "unix:@%40", SRV_ENDPOINT_KIND_UNIX, BYTES ("\0@"), "unix:@@" },
};

/* Names of Unix sockets are bytes: any of them can be written (SS-115). */
START_TEST (unix_string_is_read)
{
  g_autoptr (SrvEndpoint) endpoint = parse (unix_strings[_i].string);
  const char *path;
  gsize length = 0;

  path = srv_endpoint_get_path (endpoint, &length);
  ck_assert_int_eq (srv_endpoint_get_kind (endpoint), unix_strings[_i].kind);
  ck_assert_uint_eq (length, unix_strings[_i].length);
  ck_assert_mem_eq (path, unix_strings[_i].path, length);
  ck_assert_ptr_null (srv_endpoint_get_host (endpoint));
  ck_assert_ptr_null (srv_endpoint_get_service (endpoint));
  ck_assert_int_eq (srv_endpoint_get_fd (endpoint), -1);
}
END_TEST

/* Parser and printer are inverse, for every byte. */
START_TEST (unix_string_is_printed_in_canonical_form)
{
  g_autoptr (SrvEndpoint) endpoint = parse (unix_strings[_i].string);
  g_autofree char *once = srv_endpoint_to_string (endpoint);
  g_autoptr (SrvEndpoint) again = parse (once);
  const char *path;
  gsize length = 0;

  ck_assert_str_eq (once, unix_strings[_i].canonical != NULL
                            ? unix_strings[_i].canonical
                            : unix_strings[_i].string);
  path = srv_endpoint_get_path (again, &length);
  ck_assert_uint_eq (length, unix_strings[_i].length);
  ck_assert_mem_eq (path, unix_strings[_i].path, length);
}
END_TEST

/* A name of any byte comes back as it was, and its string is one printable
 * line: nothing in it can forge a log or a prompt. */
START_TEST (every_byte_survives_a_round_trip)
{
  char name[] = { '/', (char) (_i + 1), 'x', '\0' };
  g_autoptr (SrvEndpoint) endpoint =
    srv_endpoint_new_unix (SRV_ENDPOINT_KIND_UNIX, name);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (SrvEndpoint) again = parse (string);

  ck_assert_str_eq (srv_endpoint_get_path (again, NULL), name);
  ck_assert (g_utf8_validate (string, -1, NULL));
  for (const char *byte = string; *byte != '\0'; byte++)
    ck_assert_msg (g_ascii_isprint (*byte), "%s", string);
}
END_TEST

/* What is refused, and a word that the message must have. */
static const struct
{
  const char *string;
  const char *word;
} bad_strings[] = {
  { "", "tcp:" },
  { "tcp", "tcp" },
  { "tcp:", "PORT" },
  { "tcp:127.0.0.1", "PORT" },
  { "tcp:127.0.0.1:", "port" },
  { "tcp:127.0.0.1:65536", "65536" },
  { "tcp:127.0.0.1:99999999999999999999", "99999999999999999999" },
  { "tcp:127.0.0.1:-1", "-1" },
  { "tcp:127.0.0.1: 80", "80" },
  { "tcp:127.0.0.1:80 ", "80" },
  { "tcp:127.0.0.1:+80", "80" },
  { "tcp:127.0.0.1:80x!", "80x!" },
  { "tcp:::1:80", "brackets" },
  { "tcp:[::1:80", "bracket" },
  { "tcp:[::1]", "port" },
  { "tcp:[::1]80", "port" },
  { "tcp:[]:80", "[]" },
  { "tcp:[localhost]:80", "localhost" },
  { "tcp:[::1]]:80", "]" },
  { "tcp:a b:80", "a b" },
  { "TCP:127.0.0.1:80", "TCP" },
  { "http:127.0.0.1:80", "http" },
  { "127.0.0.1:80", "127.0.0.1" },
  { "9999", "9999" },
  { "unix:", "path" },
  { "unixgram:", "path" },
  { "unix:/a%", "%" },
  { "unix:/a%1", "%" },
  { "unix:/a%zz", "%" },
  { "unix:/a%00b", "NUL" },
  { "fd:", "fd" },
  { "fd:-1", "-1" },
  { "fd:x", "x" },
  { "fd:3x", "3x" },
  { "fd:99999999999", "99999999999" },
};

/* A string that cannot be understood is refused with a message that quotes it
 * or names what is missing. Command lines pass it on as it is. */
START_TEST (bad_string_is_refused_with_the_reason)
{
  g_autoptr (GError) error = NULL;

  ck_assert_msg (srv_endpoint_parse (bad_strings[_i].string, &error) == NULL,
                 "\"%s\" was taken", bad_strings[_i].string);
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BAD_ENDPOINT);
  ck_assert_msg (strstr (error->message, bad_strings[_i].word) != NULL,
                 "\"%s\": no \"%s\" in: %s", bad_strings[_i].string,
                 bad_strings[_i].word, error->message);
}
END_TEST

/* Hostile text in a message is escaped and cannot break a line (D row: log
 * injection). */
START_TEST (message_of_a_bad_string_is_one_printable_line)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (srv_endpoint_parse ("tcp:\n\x1b[31m\xff:1", &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BAD_ENDPOINT);
  ck_assert (g_utf8_validate (error->message, -1, NULL));
  ck_assert_ptr_null (strpbrk (error->message, "\n\x1b"));
}
END_TEST

/* The number of an open socket, as a service manager passes it. */
START_TEST (descriptor_is_read_and_printed)
{
  g_autoptr (SrvEndpoint) endpoint = parse ("fd:3");
  g_autoptr (SrvEndpoint) made = srv_endpoint_new_fd (17);
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (srv_endpoint_get_kind (endpoint), SRV_ENDPOINT_KIND_FD);
  ck_assert_int_eq (srv_endpoint_get_fd (endpoint), 3);
  ck_assert_ptr_null (srv_endpoint_get_host (endpoint));
  ck_assert_ptr_null (srv_endpoint_get_service (endpoint));
  ck_assert_ptr_null (srv_endpoint_get_path (endpoint, NULL));
  assert_prints (endpoint, "fd:3");
  assert_prints (made, "fd:17");

  ck_assert_ptr_null (srv_endpoint_resolve (made, TRUE, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}
END_TEST

/* Programs that have the parts need no string. */
START_TEST (endpoint_is_made_of_parts)
{
  g_autoptr (SrvEndpoint) v4 =
    srv_endpoint_new_inet (SRV_ENDPOINT_KIND_TCP, "127.0.0.1", 80);
  g_autoptr (SrvEndpoint) v6 =
    srv_endpoint_new_inet (SRV_ENDPOINT_KIND_UDP, "::1", 53);
  g_autoptr (SrvEndpoint) all =
    srv_endpoint_new_inet (SRV_ENDPOINT_KIND_TCP, "", 0);
  g_autoptr (SrvEndpoint) none =
    srv_endpoint_new_inet (SRV_ENDPOINT_KIND_TCP, NULL, 0);
  g_autoptr (SrvEndpoint) path =
    srv_endpoint_new_unix (SRV_ENDPOINT_KIND_UNIX, "/a%41");
  g_autoptr (SrvEndpoint) name =
    srv_endpoint_new_unix (SRV_ENDPOINT_KIND_UNIXGRAM, "@a");

  assert_prints (v4, "tcp:127.0.0.1:80");
  assert_prints (v6, "udp:[::1]:53");
  assert_prints (all, "tcp::0");
  assert_prints (none, "tcp::0");
  assert_prints (path, "unix:/a%2541");
  assert_prints (name, "unixgram:@a");
}
END_TEST

/* A copy is a thing of its own. */
START_TEST (copy_outlives_the_original)
{
  static const char *const strings[] = {
    "tcp:[::1]:80", "udp::domain", "unix:@a%00b", "unixgram:/x", "fd:4",
  };
  SrvEndpoint *original = parse (strings[_i]);
  g_autoptr (SrvEndpoint) copy = srv_endpoint_copy (original);

  srv_endpoint_free (original);
  assert_prints (copy, strings[_i]);
}
END_TEST

/* As a boxed type, an endpoint is a property and reaches other languages. */
START_TEST (boxed_type_copies_and_frees)
{
  g_auto (GValue) value = G_VALUE_INIT;
  SrvEndpoint *original = parse ("unix:@a%00b");

  g_value_init (&value, SRV_TYPE_ENDPOINT);
  g_value_set_boxed (&value, original);
  srv_endpoint_free (original);
  assert_prints (g_value_get_boxed (&value), "unix:@a%00b");
}
END_TEST

/* Addresses. */

static char *
show (gpointer address)
{
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

static const struct
{
  const char *string;
  gboolean passive;
  const char *first;
} resolved[] = {
  { "tcp:127.0.0.1:80", TRUE, "127.0.0.1:80" },
  { "tcp:127.0.0.1:80", FALSE, "127.0.0.1:80" },
  { "udp:[::1]:53", TRUE, "[::1]:53" },
  { "tcp:localhost:80", TRUE, "127.0.0.1:80" },
  { "tcp:localhost:80", FALSE, "127.0.0.1:80" },
  { "udp:localhost:80", FALSE, "127.0.0.1:80" },
  { "tcp:127.0.0.1:http", FALSE, "127.0.0.1:80" },
  { "tcp:*:80", FALSE, "127.0.0.1:80" },
};

/* The order is that in which one should try: IPv4 first, as Python's servers
 * and clients of "localhost" do (SS-080). A client of "*" means this machine.
 */
START_TEST (first_address_is_the_likely_one)
{
  GList *addresses = resolve (resolved[_i].string, resolved[_i].passive);
  g_autofree char *first = show (addresses->data);

  ck_assert_str_eq (first, resolved[_i].first);
  free_addresses (addresses);
}
END_TEST

/* A server on all interfaces has one socket for IPv4 and IPv6. */
START_TEST (passive_wildcard_begins_with_ipv6)
{
  GList *addresses = resolve ("tcp:*:80", TRUE);
  g_autofree char *first = show (addresses->data);
  gboolean v4 = FALSE;

  ck_assert_str_eq (first, "[::]:80");
  for (GList *l = addresses; l != NULL; l = l->next)
    v4 |= g_socket_address_get_family (l->data) == G_SOCKET_FAMILY_IPV4;
  ck_assert_msg (v4, "nothing for a machine without IPv6");
  free_addresses (addresses);
}
END_TEST

/* The zone of a link-local address is kept. */
START_TEST (zone_reaches_the_address)
{
  GList *addresses = resolve ("tcp:[fe80::1%lo]:80", FALSE);

  ck_assert_uint_eq (g_inet_socket_address_get_scope_id (
                       G_INET_SOCKET_ADDRESS (addresses->data)),
                     1);
  free_addresses (addresses);
}
END_TEST

/* Unix names are addresses already, abstract ones with their length. */
START_TEST (unix_name_becomes_an_address)
{
  GList *path = resolve ("unix:/a", FALSE);
  GList *name = resolve ("unixgram:@a%00b", TRUE);
  GUnixSocketAddress *address = G_UNIX_SOCKET_ADDRESS (name->data);

  ck_assert_str_eq (g_unix_socket_address_get_path (
                      G_UNIX_SOCKET_ADDRESS (path->data)),
                    "/a");
  ck_assert_int_eq (g_unix_socket_address_get_address_type (address),
                    G_UNIX_SOCKET_ADDRESS_ABSTRACT);
  ck_assert_uint_eq (g_unix_socket_address_get_path_len (address), 3);
  ck_assert_mem_eq (g_unix_socket_address_get_path (address), "a\0b", 3);
  free_addresses (path);
  free_addresses (name);
}
END_TEST

/* A name that nobody knows, and a service that does not exist, are errors
 * that name the thing. */
START_TEST (unknown_name_is_an_error)
{
  static const struct
  {
    const char *string;
    const char *word;
  } names[] = {
    { "tcp:no-such-host.invalid:80", "no-such-host.invalid" },
    { "tcp:127.0.0.1:no-such-service", "no-such-service" },
  };
  g_autoptr (SrvEndpoint) endpoint = parse (names[_i].string);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (srv_endpoint_resolve (endpoint, FALSE, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND);
  ck_assert_msg (strstr (error->message, names[_i].word) != NULL, "%s",
                 error->message);
}
END_TEST

/* Addresses become endpoints: what a server is bound to can be printed. */
START_TEST (address_becomes_an_endpoint)
{
  g_autoptr (GSocketAddress) v4 =
    g_inet_socket_address_new_from_string ("127.0.0.1", 80);
  g_autoptr (GSocketAddress) v6 =
    g_inet_socket_address_new_from_string ("::1", 80);
  g_autoptr (GSocketAddress) path = g_unix_socket_address_new ("/a%");
  g_autoptr (GSocketAddress) name =
    g_unix_socket_address_new_with_type ("a\0b", 3,
                                         G_UNIX_SOCKET_ADDRESS_ABSTRACT);
  const struct
  {
    SrvEndpointKind kind;
    GSocketAddress *address;
    const char *expected;
  } table[] = {
    { SRV_ENDPOINT_KIND_TCP, v4, "tcp:127.0.0.1:80" },
    { SRV_ENDPOINT_KIND_UDP, v4, "udp:127.0.0.1:80" },
    { SRV_ENDPOINT_KIND_TCP, v6, "tcp:[::1]:80" },
    { SRV_ENDPOINT_KIND_UNIX, path, "unix:/a%25" },
    { SRV_ENDPOINT_KIND_UNIX, name, "unix:@a%00b" },
    { SRV_ENDPOINT_KIND_UNIXGRAM, name, "unixgram:@a%00b" },
    { SRV_ENDPOINT_KIND_UNIX, v4, NULL },
    { SRV_ENDPOINT_KIND_TCP, path, NULL },
    { SRV_ENDPOINT_KIND_UDP, name, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      SrvEndpoint *endpoint =
        srv_endpoint_new_for_address (table[i].kind, table[i].address);

      ck_assert_msg ((endpoint == NULL) == (table[i].expected == NULL),
                     "row %u", i);
      if (endpoint == NULL)
        continue;
      assert_prints (endpoint, table[i].expected);
      srv_endpoint_free (endpoint);
    }
}
END_TEST

/* The zone of a link-local address is part of the endpoint. */
START_TEST (zone_of_an_address_is_printed)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string ("fe80::1");
  g_autoptr (GSocketAddress) socket_address =
    g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", address, "port", 80,
                  "scope-id", 1, NULL);
  g_autoptr (SrvEndpoint) endpoint =
    srv_endpoint_new_for_address (SRV_ENDPOINT_KIND_TCP, socket_address);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  GList *back = resolve (string, FALSE);

  ck_assert_uint_eq (g_inet_socket_address_get_scope_id (
                       G_INET_SOCKET_ADDRESS (back->data)),
                     1);
  free_addresses (back);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "strings", inet_string_is_read, (int) G_N_ELEMENTS (inet_strings) },
    { "strings", inet_string_is_printed_in_canonical_form,
      (int) G_N_ELEMENTS (inet_strings) },
    { "strings", unix_string_is_read, (int) G_N_ELEMENTS (unix_strings) },
    { "strings", unix_string_is_printed_in_canonical_form,
      (int) G_N_ELEMENTS (unix_strings) },
    { "strings", every_byte_survives_a_round_trip, 255 },
    { "strings", bad_string_is_refused_with_the_reason,
      (int) G_N_ELEMENTS (bad_strings) },
    { "strings", message_of_a_bad_string_is_one_printable_line, 1 },
    { "strings", descriptor_is_read_and_printed, 1 },
    { "strings", endpoint_is_made_of_parts, 1 },
    { "strings", copy_outlives_the_original, 5 },
    { "strings", boxed_type_copies_and_frees, 1 },
    { "addresses", first_address_is_the_likely_one,
      (int) G_N_ELEMENTS (resolved) },
    { "addresses", passive_wildcard_begins_with_ipv6, 1 },
    { "addresses", zone_reaches_the_address, 1 },
    { "addresses", unix_name_becomes_an_address, 1 },
    { "addresses", unknown_name_is_an_error, 2 },
    { "addresses", address_becomes_an_endpoint, 1 },
    { "addresses", zone_of_an_address_is_printed, 1 },
  };

  return srv_test_run_entries ("Endpoint", tests, G_N_ELEMENTS (tests));
}

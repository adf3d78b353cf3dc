/* srv-endpoint.c - where a server listens, as a string and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-endpoint.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/un.h>

/**
 * SrvEndpoint:
 *
 * Where a server listens, or a client connects to.
 *
 * | string | meaning |
 * |---|---|
 * | `tcp:127.0.0.1:9999` | TCP over IPv4 |
 * | `tcp:[::1]:9999` | TCP over IPv6 |
 * | `tcp:localhost:http` | names of hosts and services |
 * | `tcp::9999`, `tcp:*:9999` | all interfaces, IPv4 and IPv6 |
 * | `tcp:127.0.0.1:0` | a free port |
 * | `udp:…` | UDP, likewise |
 * | `unix:/run/echo.sock` | a Unix stream socket |
 * | `unix:@echo` | an abstract name; `unix:@` lets the kernel pick one |
 * | `unixgram:…` | a Unix datagram socket, likewise |
 * | `fd:3` | a socket that is already open |
 *
 * In the names of Unix sockets `%` and two hexadecimal digits stand for a
 * byte, so that a name with any bytes can be written; a path that begins with
 * `@` is written `unix:./@name`.
 *
 * Parser and printer are inverse: what
 * [method@SocketServer.BaseServer.dup_endpoint] prints for a bound server, a
 * client can use.
 */
struct _SrvEndpoint
{
  SrvEndpointKind kind;
  char *host;    /* TCP, UDP; empty: all interfaces */
  char *service; /* TCP, UDP; a number or a name */
  char *path;    /* Unix; an abstract name begins with a NUL */
  gsize path_length;
  int fd;
};

G_DEFINE_BOXED_TYPE (SrvEndpoint,
                     srv_endpoint,
                     srv_endpoint_copy,
                     srv_endpoint_free)

G_DEFINE_ENUM_TYPE (SrvEndpointKind,
                    srv_endpoint_kind,
                    G_DEFINE_ENUM_VALUE (SRV_ENDPOINT_KIND_TCP, "tcp"),
                    G_DEFINE_ENUM_VALUE (SRV_ENDPOINT_KIND_UDP, "udp"),
                    G_DEFINE_ENUM_VALUE (SRV_ENDPOINT_KIND_UNIX, "unix"),
                    G_DEFINE_ENUM_VALUE (SRV_ENDPOINT_KIND_UNIXGRAM,
                                         "unixgram"),
                    G_DEFINE_ENUM_VALUE (SRV_ENDPOINT_KIND_FD, "fd"))

static const char *const scheme_names[] = {
  [SRV_ENDPOINT_KIND_TCP] = "tcp",   [SRV_ENDPOINT_KIND_UDP] = "udp",
  [SRV_ENDPOINT_KIND_UNIX] = "unix", [SRV_ENDPOINT_KIND_UNIXGRAM] = "unixgram",
  [SRV_ENDPOINT_KIND_FD] = "fd",
};

static gboolean
is_inet (SrvEndpointKind kind)
{
  return kind == SRV_ENDPOINT_KIND_TCP || kind == SRV_ENDPOINT_KIND_UDP;
}

static gboolean
is_unix (SrvEndpointKind kind)
{
  return kind == SRV_ENDPOINT_KIND_UNIX || kind == SRV_ENDPOINT_KIND_UNIXGRAM;
}

static SrvEndpoint *
endpoint_new (SrvEndpointKind kind)
{
  SrvEndpoint *self = g_new0 (SrvEndpoint, 1);

  self->kind = kind;
  self->fd = -1;
  return self;
}

/* What is said of a string that cannot be understood; the string itself comes
 * from a user and is escaped. */
static gboolean
fail (const char *string, const char *why, GError **error)
{
  g_autofree char *shown = g_strescape (string, NULL);

  g_set_error (error, SRV_ERROR, SRV_ERROR_BAD_ENDPOINT,
               "bad endpoint \"%s\": %s", shown, why);
  return FALSE;
}

/* A number, or a name that begins with a letter or digit and has a letter: the
 * C library would take "-1" for a number, too. */
static gboolean
is_service (const char *service)
{
  gboolean has_letter = FALSE;
  const char *c;

  for (c = service; *c != '\0'; c++)
    if (g_ascii_isalpha (*c))
      has_letter = TRUE;
    else if (!g_ascii_isdigit (*c) && strchr ("-_.+/", *c) == NULL)
      return FALSE;
  return g_ascii_isalnum (*service) &&
         (has_letter || strspn (service, "0123456789") == strlen (service));
}

static gboolean
parse_service (SrvEndpoint *self,
               const char *string,
               const char *service,
               GError **error)
{
  guint64 port;

  if (*service == '\0')
    return fail (string, "the port is missing", error);
  if (!is_service (service))
    return fail (string, "the port is no number and no service name", error);
  if (strspn (service, "0123456789") != strlen (service))
    {
      self->service = g_strdup (service);
      return TRUE;
    }
  if (!g_ascii_string_to_unsigned (service, 10, 0, 65535, &port, NULL))
    return fail (string, "the port is not between 0 and 65535", error);
  self->service = g_strdup_printf ("%u", (guint) port);
  return TRUE;
}

static gboolean
is_host (const char *host)
{
  for (; *host != '\0'; host++)
    if (g_ascii_isspace (*host) || g_ascii_iscntrl (*host) || *host == '[' ||
        *host == ']')
      return FALSE;
  return TRUE;
}

static gboolean
parse_inet (SrvEndpoint *self,
            const char *string,
            const char *rest,
            GError **error)
{
  const char *colon = strrchr (rest, ':');
  gboolean bracketed = *rest == '[';
  const char *end = bracketed ? strchr (rest, ']') : colon;

  if (bracketed && end == NULL)
    return fail (string, "the bracket is not closed", error);
  if (bracketed && end[1] != ':')
    return fail (string, "the port is missing", error);
  if (end == NULL)
    return fail (string, "it must be HOST:PORT", error);
  self->host = bracketed ? g_strndup (rest + 1, (gsize) (end - rest - 1))
                         : g_strndup (rest, (gsize) (end - rest));
  if (!bracketed && strchr (self->host, ':') != NULL)
    return fail (string, "an IPv6 address needs brackets", error);
  if (bracketed && strchr (self->host, ':') == NULL)
    return fail (string, "only an IPv6 address has brackets", error);
  if (!is_host (self->host))
    return fail (string, "the host has characters that no host has", error);
  if (strcmp (self->host, "*") == 0)
    self->host[0] = '\0';
  return parse_service (self, string, bracketed ? end + 2 : end + 1, error);
}

/* Replaces %XX by the byte; FALSE when the digits are missing. */
static gboolean
unescape (const char *text, GString *out)
{
  for (; *text != '\0'; text++)
    {
      int high, low;

      if (*text != '%')
        {
          g_string_append_c (out, *text);
          continue;
        }
      high = g_ascii_xdigit_value (text[1]);
      low = high < 0 ? -1 : g_ascii_xdigit_value (text[2]);
      if (low < 0)
        return FALSE;
      g_string_append_c (out, (char) (high << 4 | low));
      text += 2;
    }
  return TRUE;
}

static gboolean
parse_unix (SrvEndpoint *self,
            const char *string,
            const char *rest,
            GError **error)
{
  const gsize room = sizeof ((struct sockaddr_un *) NULL)->sun_path;
  gboolean abstract = *rest == '@';
  GString *name;

  if (*rest == '\0')
    return fail (string, "the path is missing", error);
  name = g_string_new (NULL);
  if (abstract)
    g_string_append_c (name, '\0');
  if (!unescape (abstract ? rest + 1 : rest, name))
    {
      g_string_free (name, TRUE);
      return fail (string, "% needs two hexadecimal digits", error);
    }
  self->path_length = name->len;
  self->path = g_string_free (name, FALSE);
  if (!abstract && strlen (self->path) != self->path_length)
    return fail (string, "a path cannot have a NUL byte", error);
  if (abstract && self->path_length > room)
    return fail (string, "an abstract name can have 107 bytes", error);
  return TRUE;
}

static gboolean
parse_fd (SrvEndpoint *self,
          const char *string,
          const char *rest,
          GError **error)
{
  guint64 fd;

  if (!g_ascii_string_to_unsigned (rest, 10, 0, G_MAXINT, &fd, NULL))
    return fail (string, "the descriptor is no number", error);
  self->fd = (int) fd;
  return TRUE;
}

/* The length of the scheme, -1 if there is none that is known. */
static int
parse_scheme (const char *string, SrvEndpointKind *kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (scheme_names); i++)
    {
      gsize length = strlen (scheme_names[i]);

      if (strncmp (string, scheme_names[i], length) == 0 &&
          string[length] == ':')
        {
          *kind = (SrvEndpointKind) i;
          return (int) length + 1;
        }
    }
  return -1;
}

/**
 * srv_endpoint_parse:
 * @string: an endpoint string
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads an endpoint string. Names are not looked up.
 *
 * Fails with %SRV_ERROR_BAD_ENDPOINT; the message says what is wrong.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the endpoint, or %NULL with @error set
 */
SrvEndpoint *
srv_endpoint_parse (const char *string, GError **error)
{
  g_autoptr (SrvEndpoint) self = NULL;
  SrvEndpointKind kind;
  int scheme;
  gboolean ok;

  g_return_val_if_fail (string != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  scheme = parse_scheme (string, &kind);
  if (scheme < 0)
    {
      fail (string,
            "it must begin with tcp:, udp:, unix:, unixgram: or fd:", error);
      return NULL;
    }
  self = endpoint_new (kind);
  if (is_inet (kind))
    ok = parse_inet (self, string, string + scheme, error);
  else if (is_unix (kind))
    ok = parse_unix (self, string, string + scheme, error);
  else
    ok = parse_fd (self, string, string + scheme, error);
  return ok ? g_steal_pointer (&self) : NULL;
}

/**
 * srv_endpoint_new_inet:
 * @kind: %SRV_ENDPOINT_KIND_TCP or %SRV_ENDPOINT_KIND_UDP
 * @host: (nullable): an address or name; empty or %NULL for all interfaces
 * @port: the port, 0 for a free one
 *
 * Makes an endpoint of a host and a port.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new endpoint
 */
SrvEndpoint *
srv_endpoint_new_inet (SrvEndpointKind kind, const char *host, guint16 port)
{
  SrvEndpoint *self;

  g_return_val_if_fail (is_inet (kind), NULL);

  self = endpoint_new (kind);
  self->host = g_strdup (host != NULL ? host : "");
  self->service = g_strdup_printf ("%u", port);
  return self;
}

/**
 * srv_endpoint_new_unix:
 * @kind: %SRV_ENDPOINT_KIND_UNIX or %SRV_ENDPOINT_KIND_UNIXGRAM
 * @path: (type filename): a path, or `@` and an abstract name
 *
 * Makes an endpoint of a path. No escapes are looked for.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new endpoint
 */
SrvEndpoint *
srv_endpoint_new_unix (SrvEndpointKind kind, const char *path)
{
  SrvEndpoint *self;

  g_return_val_if_fail (is_unix (kind), NULL);
  g_return_val_if_fail (path != NULL, NULL);

  self = endpoint_new (kind);
  self->path = g_strdup (path);
  self->path_length = strlen (path);
  if (path[0] == '@')
    self->path[0] = '\0';
  return self;
}

/**
 * srv_endpoint_new_fd:
 * @fd: a descriptor of a socket
 *
 * Makes an endpoint of a socket that is already open.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new endpoint
 */
SrvEndpoint *
srv_endpoint_new_fd (int fd)
{
  SrvEndpoint *self;

  g_return_val_if_fail (fd >= 0, NULL);

  self = endpoint_new (SRV_ENDPOINT_KIND_FD);
  self->fd = fd;
  return self;
}

/**
 * srv_endpoint_new_for_address:
 * @kind: which transport the address is of
 * @address: the address
 *
 * Makes an endpoint of a socket address.
 *
 * Threads: any.
 *
 * Returns: (transfer full) (nullable): a new endpoint, %NULL when the address
 *   does not fit the transport, or has no name
 */
SrvEndpoint *
srv_endpoint_new_for_address (SrvEndpointKind kind, GSocketAddress *address)
{
  g_return_val_if_fail (G_IS_SOCKET_ADDRESS (address), NULL);

  if (is_inet (kind) && G_IS_INET_SOCKET_ADDRESS (address))
    {
      /* The printed form, for it keeps the zone of a link-local address. */
      g_autofree char *host =
        g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
      GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (address);
      guint16 port = g_inet_socket_address_get_port (inet);
      GInetAddress *ip = g_inet_socket_address_get_address (inet);
      g_autofree char *plain = g_inet_address_to_string (ip);
      const char *zone = strchr (host, '%');
      g_autofree char *zoned = NULL;

      if (zone != NULL)
        zoned =
          g_strdup_printf ("%s%.*s", plain, (int) strcspn (zone, "]:"), zone);
      return srv_endpoint_new_inet (kind, zoned != NULL ? zoned : plain, port);
    }
  if (is_unix (kind) && G_IS_UNIX_SOCKET_ADDRESS (address))
    {
      GUnixSocketAddress *local = G_UNIX_SOCKET_ADDRESS (address);
      gsize length = g_unix_socket_address_get_path_len (local);
      const char *path = g_unix_socket_address_get_path (local);
      gboolean abstract = g_unix_socket_address_get_address_type (local) ==
                          G_UNIX_SOCKET_ADDRESS_ABSTRACT;
      SrvEndpoint *self;

      if (length == 0)
        return NULL;
      self = endpoint_new (kind);
      self->path_length = length + (abstract ? 1 : 0);
      self->path = g_malloc0 (self->path_length + 1);
      memcpy (self->path + (abstract ? 1 : 0), path, length);
      return self;
    }
  return NULL;
}

/**
 * srv_endpoint_copy:
 * @self: an endpoint
 *
 * Copies an endpoint.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a copy
 */
SrvEndpoint *
srv_endpoint_copy (const SrvEndpoint *self)
{
  SrvEndpoint *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = endpoint_new (self->kind);
  copy->host = g_strdup (self->host);
  copy->service = g_strdup (self->service);
  copy->fd = self->fd;
  copy->path_length = self->path_length;
  if (self->path != NULL)
    copy->path = g_memdup2 (self->path, self->path_length + 1);
  return copy;
}

/**
 * srv_endpoint_free:
 * @self: (transfer full): an endpoint
 *
 * Frees an endpoint. A descriptor that it names stays open.
 *
 * Threads: any.
 */
void
srv_endpoint_free (SrvEndpoint *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->host);
  g_free (self->service);
  g_free (self->path);
  g_free (self);
}

/* Everything that a shell, a log or a terminal could take amiss is written as
 * %XX. Well-formed UTF-8 stays readable. */
static char *
escape_path (const char *path, gsize length)
{
  GString *out = g_string_new (NULL);
  gsize i = 0;

  while (i < length)
    {
      const char *here = path + i;
      gunichar c = g_utf8_get_char_validated (here, (gssize) (length - i));
      gboolean plain = *here != '\0' && c < (gunichar) -2 && *here != '%' &&
                       g_unichar_isprint (c) && !g_unichar_isspace (c);
      gsize step = plain ? (gsize) (g_utf8_next_char (here) - here) : 1;

      if (plain)
        g_string_append_len (out, here, (gssize) step);
      else
        g_string_append_printf (out, "%%%02X", (guchar) *here);
      i += step;
    }
  return g_string_free (out, FALSE);
}

static char *
unix_to_string (const SrvEndpoint *self)
{
  const char *scheme = scheme_names[self->kind];
  gboolean abstract = self->path[0] == '\0';
  g_autofree char *name =
    abstract ? escape_path (self->path + 1, self->path_length - 1)
             : escape_path (self->path, self->path_length);

  if (abstract)
    return g_strdup_printf ("%s:@%s", scheme, name);
  return g_strdup_printf ("%s:%s%s", scheme, *name == '@' ? "./" : "", name);
}

/**
 * srv_endpoint_to_string:
 * @self: an endpoint
 *
 * Prints an endpoint in its canonical form: one line, printable, and readable
 * for [func@SocketServer.Endpoint.parse].
 *
 * Threads: any.
 *
 * Returns: (transfer full): the endpoint string
 */
char *
srv_endpoint_to_string (const SrvEndpoint *self)
{
  const char *scheme;
  gboolean brackets;

  g_return_val_if_fail (self != NULL, NULL);

  scheme = scheme_names[self->kind];
  if (is_unix (self->kind))
    return unix_to_string (self);
  if (self->kind == SRV_ENDPOINT_KIND_FD)
    return g_strdup_printf ("%s:%d", scheme, self->fd);
  brackets = strchr (self->host, ':') != NULL;
  return g_strdup_printf ("%s:%s%s%s:%s", scheme, brackets ? "[" : "",
                          self->host, brackets ? "]" : "", self->service);
}

/**
 * srv_endpoint_get_kind:
 * @self: an endpoint
 *
 * Gets the transport.
 *
 * Threads: any.
 *
 * Returns: the transport
 */
SrvEndpointKind
srv_endpoint_get_kind (const SrvEndpoint *self)
{
  g_return_val_if_fail (self != NULL, SRV_ENDPOINT_KIND_TCP);
  return self->kind;
}

/**
 * srv_endpoint_get_host:
 * @self: an endpoint
 *
 * Gets the host of a TCP or UDP endpoint.
 *
 * Threads: any.
 *
 * Returns: (nullable): a name or an address without brackets; empty for all
 *   interfaces; %NULL for other transports
 */
const char *
srv_endpoint_get_host (const SrvEndpoint *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->host;
}

/**
 * srv_endpoint_get_service:
 * @self: an endpoint
 *
 * Gets the port of a TCP or UDP endpoint.
 *
 * Threads: any.
 *
 * Returns: (nullable): a number or a service name; %NULL for other transports
 */
const char *
srv_endpoint_get_service (const SrvEndpoint *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->service;
}

/**
 * srv_endpoint_get_path:
 * @self: an endpoint
 * @length: (out) (optional): how many bytes it has
 *
 * Gets the name of a Unix endpoint. An abstract name begins with a NUL, and
 * may have more of them.
 *
 * Threads: any.
 *
 * Returns: (nullable) (array length=length) (element-type guint8): the name;
 *   %NULL for other transports
 */
const char *
srv_endpoint_get_path (const SrvEndpoint *self, gsize *length)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (length != NULL)
    *length = self->path_length;
  return self->path;
}

/**
 * srv_endpoint_get_fd:
 * @self: an endpoint
 *
 * Gets the descriptor of an endpoint that names one.
 *
 * Threads: any.
 *
 * Returns: the descriptor, -1 for other transports
 */
int
srv_endpoint_get_fd (const SrvEndpoint *self)
{
  g_return_val_if_fail (self != NULL, -1);
  return self->fd;
}

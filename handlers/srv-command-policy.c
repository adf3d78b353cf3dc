/* srv-command-policy.c - which commands clients may run, and within what limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-command-policy.h"

#include "srv-command-policy-private.h"
#include "srv-command-template-private.h"

/**
 * SrvCommandPolicy:
 *
 * Says which commands the clients of a
 * [class@SocketServerHandlers.CommandHandler] may run, and within what limits.
 *
 * Nothing is allowed at first. A command is a name and a fixed argument vector
 * in which `{1}` to `{9}` stand for arguments of the client; each must match a
 * pattern as a whole. No shell is involved, so that an argument stays one
 * argument, whatever is in it. The commands get nothing of the server's
 * environment and none of its descriptors; their input is empty.
 *
 * ```c
 * g_autoptr (SrvCommandPolicy) policy = srv_command_policy_new ();
 * const char *const argv[] = { "/usr/bin/du", "-s", "--", "/srv/{1}", NULL };
 *
 * if (!srv_command_policy_add_command (policy, "usage", argv, NULL, &error))
 *   g_printerr ("%s\n", error->message);
 * ```
 *
 * The same in a key file, for
 * [method@SocketServerHandlers.CommandPolicy.load_file]:
 *
 * ```
 * [policy]
 * timeout=5000
 *
 * [command usage]
 * argv=/usr/bin/du;-s;--;/srv/{1}
 * pattern-1=[a-z]+
 * ```
 *
 * [property@SocketServerHandlers.CommandPolicy:allow-shell] lets clients run
 * whatever they like, and is only for trusted peers.
 *
 * A command runs as the user of the server: give the server a user of its own,
 * one that may do nothing but this. The limits are those of the system, and the
 * number of processes counts for all of this user together.
 *
 * You call: everything here before the server runs, nothing afterwards; then
 * any number of threads use the object.
 */
typedef enum
{
  PROP_TIMEOUT = 1,
  PROP_GRACE_TIME,
  PROP_REQUEST_TIMEOUT,
  PROP_WRITE_TIMEOUT,
  PROP_MAX_REQUEST_BYTES,
  PROP_MAX_PROCESSES,
  PROP_MAX_CPU_SECONDS,
  PROP_MAX_OUTPUT_BYTES,
  PROP_MAX_MEMORY_BYTES,
  PROP_MAX_FILE_BYTES,
  PROP_DIRECTORY,
  PROP_ALLOW_SHELL,
} SrvCommandPolicyProperty;

static GParamSpec *properties[PROP_ALLOW_SHELL + 1];

G_DEFINE_FINAL_TYPE (SrvCommandPolicy, srv_command_policy, G_TYPE_OBJECT)

/* Where a number is kept; NULL if the property is none. */
static guint *
find_uint (SrvCommandPolicy *self, guint id)
{
  switch ((SrvCommandPolicyProperty) id)
    {
    case PROP_TIMEOUT:
      return &self->limits.timeout_ms;
    case PROP_GRACE_TIME:
      return &self->limits.grace_ms;
    case PROP_REQUEST_TIMEOUT:
      return &self->dialogue.request_timeout_ms;
    case PROP_WRITE_TIMEOUT:
      return &self->dialogue.write_timeout_ms;
    case PROP_MAX_REQUEST_BYTES:
      return &self->dialogue.max_request_bytes;
    case PROP_MAX_PROCESSES:
      return &self->limits.max_processes;
    case PROP_MAX_CPU_SECONDS:
      return &self->limits.max_cpu_seconds;
    default:
      return NULL;
    }
}

static guint64 *
find_uint64 (SrvCommandPolicy *self, guint id)
{
  switch ((SrvCommandPolicyProperty) id)
    {
    case PROP_MAX_OUTPUT_BYTES:
      return &self->limits.max_output_bytes;
    case PROP_MAX_MEMORY_BYTES:
      return &self->limits.max_memory_bytes;
    case PROP_MAX_FILE_BYTES:
      return &self->limits.max_file_bytes;
    default:
      return NULL;
    }
}

static void
srv_command_policy_get_property (GObject *object,
                                 guint id,
                                 GValue *value,
                                 GParamSpec *pspec)
{
  SrvCommandPolicy *self = SRV_COMMAND_POLICY (object);

  if (find_uint (self, id) != NULL)
    g_value_set_uint (value, *find_uint (self, id));
  else if (find_uint64 (self, id) != NULL)
    g_value_set_uint64 (value, *find_uint64 (self, id));
  else if (id == PROP_DIRECTORY)
    g_value_set_string (value, self->directory);
  else if (id == PROP_ALLOW_SHELL)
    g_value_set_boolean (value, self->allow_shell);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
srv_command_policy_set_property (GObject *object,
                                 guint id,
                                 const GValue *value,
                                 GParamSpec *pspec)
{
  SrvCommandPolicy *self = SRV_COMMAND_POLICY (object);

  if (find_uint (self, id) != NULL)
    *find_uint (self, id) = g_value_get_uint (value);
  else if (find_uint64 (self, id) != NULL)
    *find_uint64 (self, id) = g_value_get_uint64 (value);
  else if (id == PROP_DIRECTORY)
    {
      g_free (self->directory);
      self->directory = g_value_dup_string (value);
    }
  else if (id == PROP_ALLOW_SHELL)
    self->allow_shell = g_value_get_boolean (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
srv_command_policy_finalize (GObject *object)
{
  SrvCommandPolicy *self = SRV_COMMAND_POLICY (object);

  g_hash_table_unref (self->commands);
  g_array_unref (self->uids);
  g_free (self->directory);
  G_OBJECT_CLASS (srv_command_policy_parent_class)->finalize (object);
}

#define FLAGS (G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS)

static void
define_uint (guint id, const char *name, guint min, guint max, guint preset)
{
  properties[id] =
    g_param_spec_uint (name, NULL, NULL, min, max, preset, FLAGS);
}

static void
define_uint64 (guint id, const char *name, guint64 preset)
{
  properties[id] =
    g_param_spec_uint64 (name, NULL, NULL, 0, G_MAXINT64, preset, FLAGS);
}

static void
srv_command_policy_class_init (SrvCommandPolicyClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const guint max_ms = 7 * 24 * 3600 * 1000;

  object_class->finalize = srv_command_policy_finalize;
  object_class->get_property = srv_command_policy_get_property;
  object_class->set_property = srv_command_policy_set_property;

  /**
   * SrvCommandPolicy:timeout:
   *
   * How long a command may run, in milliseconds; 0 for no limit.
   */
  define_uint (PROP_TIMEOUT, "timeout", 0, max_ms, 60000);
  /**
   * SrvCommandPolicy:grace-time:
   *
   * How long a command that is told to end (`SIGTERM`) may take for it, in
   * milliseconds, before it is killed.
   */
  define_uint (PROP_GRACE_TIME, "grace-time", 0, max_ms, 2000);
  /**
   * SrvCommandPolicy:request-timeout:
   *
   * How long a request may take from its first byte to its last, in
   * milliseconds. Between requests the handler's own
   * [property@SocketServer.StreamRequestHandler:timeout] applies.
   */
  define_uint (PROP_REQUEST_TIMEOUT, "request-timeout", 1, max_ms, 10000);
  /**
   * SrvCommandPolicy:write-timeout:
   *
   * How long a client may leave output unread, in milliseconds, before it
   * counts as gone.
   */
  define_uint (PROP_WRITE_TIMEOUT, "write-timeout", 1, max_ms, 30000);
  /**
   * SrvCommandPolicy:max-request-bytes:
   *
   * The longest request, in bytes, 1 to 1 MiB.
   */
  define_uint (PROP_MAX_REQUEST_BYTES, "max-request-bytes", 1, 1024 * 1024,
               4096);
  /**
   * SrvCommandPolicy:max-processes:
   *
   * How many processes and threads the user of the server may have while a
   * command starts another (`RLIMIT_NPROC`); 0 for no limit. The system counts
   * all that this user runs, and does not limit root.
   */
  define_uint (PROP_MAX_PROCESSES, "max-processes", 0, G_MAXINT, 1024);
  /**
   * SrvCommandPolicy:max-cpu-seconds:
   *
   * How much processor time each process may use, in seconds (`RLIMIT_CPU`); 0
   * for no limit.
   */
  define_uint (PROP_MAX_CPU_SECONDS, "max-cpu-seconds", 0, G_MAXINT, 60);
  /**
   * SrvCommandPolicy:max-output-bytes:
   *
   * How much a command may print, in bytes, on both outputs together; 0 for no
   * limit. In the dialogue of
   * [property@SocketServerHandlers.CommandHandler:compatible] that much is kept
   * in memory, and 0 stands for 1 MiB.
   */
  define_uint64 (PROP_MAX_OUTPUT_BYTES, "max-output-bytes", 16 * 1024 * 1024);
  /**
   * SrvCommandPolicy:max-memory-bytes:
   *
   * How much memory each process may map, in bytes (`RLIMIT_AS`); 0 for no
   * limit.
   */
  define_uint64 (PROP_MAX_MEMORY_BYTES, "max-memory-bytes",
                 (guint64) 1024 * 1024 * 1024);
  /**
   * SrvCommandPolicy:max-file-bytes:
   *
   * How long a file may get that a command writes, in bytes (`RLIMIT_FSIZE`); 0
   * for no limit.
   */
  define_uint64 (PROP_MAX_FILE_BYTES, "max-file-bytes", 64 * 1024 * 1024);
  /**
   * SrvCommandPolicy:directory:
   *
   * Where commands run: an absolute path, `/` at first.
   */
  properties[PROP_DIRECTORY] =
    g_param_spec_string ("directory", NULL, NULL, "/", FLAGS);
  /**
   * SrvCommandPolicy:allow-shell:
   *
   * Whether clients may run any line of shell. Even then only clients of which
   * the server knows something: both ends are loopback addresses, or it is a
   * Unix socket and the client runs as the server's user or as one of
   * [method@SocketServerHandlers.CommandPolicy.allow_uid]. On loopback these
   * are all users of the machine.
   */
  properties[PROP_ALLOW_SHELL] =
    g_param_spec_boolean ("allow-shell", NULL, NULL, FALSE, FLAGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_command_policy_init (SrvCommandPolicy *self)
{
  self->commands =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                           (GDestroyNotify) srv_command_template_free);
  self->uids = g_array_new (FALSE, FALSE, sizeof (guint));
}

/**
 * srv_command_policy_new:
 *
 * Makes a policy that allows nothing, with the limits that the properties
 * name.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a policy
 */
SrvCommandPolicy *
srv_command_policy_new (void)
{
  return g_object_new (SRV_TYPE_COMMAND_POLICY, NULL);
}

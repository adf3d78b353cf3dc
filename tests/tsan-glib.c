/* tsan-glib.c - tells ThreadSanitizer what GLib's locks order
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GLib's locks are futexes, and GLib is not built with the sanitizer: to it, a
 * GMutex orders nothing, and everything that one guards looks like a race. So
 * the functions that order are put in front of GLib's here: they do the real
 * thing and report it. Only test programs of a ThreadSanitizer build have this
 * file. Building GLib itself with the sanitizer would be the other way; it
 * takes longer than all tests.
 */

#include <dlfcn.h>
#include <glib-object.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <unistd.h>

/* GLib's own definition of the function that this is called from. */
#define REAL(function)                                                  \
  static typeof (&function) found;                                      \
  typeof (&function) real = __atomic_load_n (&found, __ATOMIC_RELAXED); \
                                                                        \
  if (real == NULL)                                                     \
    {                                                                   \
      real = (typeof (&function)) dlsym (RTLD_NEXT, #function);         \
      __atomic_store_n (&found, real, __ATOMIC_RELAXED);                \
    }

static void
before_lock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, __tsan_mutex_linker_init);
}

static void
after_lock (GMutex *mutex)
{
  __tsan_mutex_post_lock (mutex, __tsan_mutex_linker_init, 0);
}

static void
before_unlock (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, __tsan_mutex_linker_init);
}

static void
after_unlock (GMutex *mutex)
{
  __tsan_mutex_post_unlock (mutex, __tsan_mutex_linker_init);
}

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock);

  before_lock (mutex);
  real (mutex);
  after_lock (mutex);
}

void
g_mutex_unlock (GMutex *mutex)
{
  REAL (g_mutex_unlock);

  before_unlock (mutex);
  real (mutex);
  after_unlock (mutex);
}

/* GLib calls its own locking functions from these two, past the ones here. */

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (g_cond_wait);

  before_unlock (mutex);
  after_unlock (mutex);
  real (cond, mutex);
  before_lock (mutex);
  after_lock (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;
  REAL (g_cond_wait_until);

  before_unlock (mutex);
  after_unlock (mutex);
  signalled = real (cond, mutex, end_time);
  before_lock (mutex);
  after_lock (mutex);
  return signalled;
}

/* What a thread did to an object comes before the object's end. */

void
g_object_unref (gpointer object)
{
  REAL (g_object_unref);

  __tsan_release (object);
  /* For who asks whether a reference is the last one. */
  __tsan_release (&((GObject *) object)->ref_count);
  __tsan_acquire (object);
  real (object);
}

void
g_bytes_unref (GBytes *bytes)
{
  REAL (g_bytes_unref);

  __tsan_release (bytes);
  __tsan_acquire (bytes);
  real (bytes);
}

void
g_atomic_ref_count_inc (gatomicrefcount *count)
{
  __atomic_fetch_add (count, 1, __ATOMIC_RELAXED);
}

gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  return __atomic_fetch_sub (count, 1, __ATOMIC_ACQ_REL) == 1;
}

/* A class is made with its first object, by whichever thread is the first. This
 * is what every class calls when it is made. */

static char classes;

gpointer
g_type_class_peek_parent (gpointer klass)
{
  REAL (g_type_class_peek_parent);

  __tsan_release (&classes);
  return real (klass);
}

gpointer
g_object_new (GType type, const char *first_property, ...)
{
  va_list arguments;
  gpointer object;

  va_start (arguments, first_property);
  object = g_object_new_valist (type, first_property, arguments);
  va_end (arguments);
  __tsan_acquire (&classes);
  return object;
}

/* A bit of an integer that others may use otherwise, so it is no mutex here. */

void
g_bit_lock (volatile gint *address, gint lock_bit)
{
  REAL (g_bit_lock);

  real (address, lock_bit);
  __tsan_acquire ((void *) address);
}

void
g_bit_unlock (volatile gint *address, gint lock_bit)
{
  REAL (g_bit_unlock);

  __tsan_release ((void *) address);
  real (address, lock_bit);
}

/* The sanitizer starts a thread of its own with the first thread of a process.
 * Tests count threads: it is to be there before they begin, which is when Check
 * forks. The children of servers under test make no threads; they must not. */

static pid_t check_pid;

static void __attribute__ ((constructor)) remember_check (void)
{
  check_pid = getpid ();
}

static void *
do_nothing (G_GNUC_UNUSED void *data)
{
  return NULL;
}

pid_t
fork (void)
{
  pid_t pid;
  pthread_t thread;
  REAL (fork);

  pid = real ();
  if (pid == 0 && getppid () == check_pid &&
      pthread_create (&thread, NULL, do_nothing, NULL) == 0)
    pthread_join (thread, NULL);
  return pid;
}

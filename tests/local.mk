# tests/local.mk - Check programs, scripts, and how they are run
#
# SPDX-License-Identifier: LGPL-2.1-or-later

# Check programs. Each is one .c file, linked to the common part and to the
# objects of both libraries, private functions too.
test_programs = \
	%reldir%/test-accept \
	%reldir%/test-account-passwords \
	%reldir%/test-account-store \
	%reldir%/test-attach \
	%reldir%/test-auth-handler \
	%reldir%/test-base-server \
	%reldir%/test-charset \
	%reldir%/test-chat-hub \
	%reldir%/test-chat-store \
	%reldir%/test-check \
	%reldir%/test-client \
	%reldir%/test-command \
	%reldir%/test-connection-close \
	%reldir%/test-connection-post \
	%reldir%/test-connection \
	%reldir%/test-create-connection \
	%reldir%/test-create-server-socket \
	%reldir%/test-drain \
	%reldir%/test-echo-handler \
	%reldir%/test-endpoint-servers \
	%reldir%/test-endpoint \
	%reldir%/test-escape \
	%reldir%/test-fiber-life \
	%reldir%/test-fiber-mix-in \
	%reldir%/test-fiber-serving \
	%reldir%/test-fiber-stack \
	%reldir%/test-fiber-timer \
	%reldir%/test-fiber-watch \
	%reldir%/test-fiber \
	%reldir%/test-finger \
	%reldir%/test-forking-child \
	%reldir%/test-forking \
	%reldir%/test-frame-streams \
	%reldir%/test-framing \
	%reldir%/test-gate \
	%reldir%/test-handle-request \
	%reldir%/test-jim-contacts \
	%reldir%/test-jim-dialects \
	%reldir%/test-jim-framer \
	%reldir%/test-jim-store \
	%reldir%/test-jim \
	%reldir%/test-life-cycle-close \
	%reldir%/test-life-cycle \
	%reldir%/test-line-chat \
	%reldir%/test-listener-sharing \
	%reldir%/test-log \
	%reldir%/test-lookup \
	%reldir%/test-mix-in \
	%reldir%/test-post-servers \
	%reldir%/test-prefork-end \
	%reldir%/test-prefork \
	%reldir%/test-properties \
	%reldir%/test-reader \
	%reldir%/test-request-order \
	%reldir%/test-request \
	%reldir%/test-reusable-handlers \
	%reldir%/test-script \
	%reldir%/test-send-fds \
	%reldir%/test-sender-limit \
	%reldir%/test-simple-handlers \
	%reldir%/test-spares \
	%reldir%/test-spawn \
	%reldir%/test-start-tls \
	%reldir%/test-stream-handler \
	%reldir%/test-sync \
	%reldir%/test-tcp-server \
	%reldir%/test-thread-pool \
	%reldir%/test-threading \
	%reldir%/test-time-handlers \
	%reldir%/test-udp-replies \
	%reldir%/test-udp-server \
	%reldir%/test-unix-names \
	%reldir%/test-unix-servers \
	%reldir%/test-upload-handler \
	%reldir%/test-upload-store \
	%reldir%/test-writer \
	$(NULL)

# Scripts that print TAP: of the libraries' behaviour ...
test_scripts = \
	%reldir%/test-accounts.py \
	%reldir%/test-bench.py \
	%reldir%/test-chat-client.py \
	%reldir%/test-chat-client-scripts.py \
	%reldir%/test-chat-accounts.py \
	%reldir%/test-chat.py \
	%reldir%/test-command-samples.py \
	%reldir%/test-faults.py \
	%reldir%/test-fuzz-corpus.sh \
	%reldir%/test-installed.sh \
	%reldir%/test-interop.sh \
	%reldir%/test-multiplex.py \
	%reldir%/test-network.py \
	%reldir%/test-operator.py \
	%reldir%/test-pair.py \
	%reldir%/test-python.py \
	%reldir%/test-python-cases.py \
	%reldir%/test-samples.sh \
	%reldir%/test-service.py \
	%reldir%/test-time-samples.sh \
	%reldir%/test-tutorials.py \
	%reldir%/test-upload.py \
	%reldir%/test-vala.sh \
	$(NULL)

# ... and of the tree itself.
check_scripts = \
	%reldir%/check-docs.sh \
	%reldir%/check-format.sh \
	%reldir%/check-headers.sh \
	%reldir%/check-layers.sh \
	%reldir%/check-rows.py \
	%reldir%/check-spdx.sh \
	%reldir%/check-symbols.sh \
	$(NULL)

TESTS += \
	$(check_scripts) \
	$(test_scripts) \
	$(NULL)

EXTRA_DIST += \
	$(check_scripts) \
	$(test_scripts) \
	%reldir%/account-test.h \
	%reldir%/chat.py \
	%reldir%/fiber-test.h \
	%reldir%/jim-test.h \
	%reldir%/endpoint-test.h \
	%reldir%/fiber-server-test.h \
	%reldir%/forking-test.h \
	%reldir%/library.py \
	%reldir%/post-test.h \
	%reldir%/prefork-test.h \
	%reldir%/run-python.sh \
	%reldir%/soak.py \
	%reldir%/tap.py \
	%reldir%/tap.sh \
	%reldir%/terminal.py \
	%reldir%/tsan-glib.c \
	%reldir%/tsan.supp \
	%reldir%/udp-test.h \
	%reldir%/unix-test.h \
	%reldir%/valgrind.supp \
	$(NULL)

# A server that a script starts, with the library as it is installed.
check_PROGRAMS += %reldir%/fault-server
%canon_reldir%_fault_server_LDADD = $(samples_ldadd)
%canon_reldir%_fault_server_LDFLAGS = $(samples_ldflags)

if HAVE_CHECK
TESTS += $(test_programs)
check_PROGRAMS += $(test_programs)
%canon_reldir%_test_start_tls_SOURCES = \
	%reldir%/test-start-tls.c \
	%reldir%/tls-over.c \
	%reldir%/tls-over.h \
	$(NULL)
check_LTLIBRARIES = %reldir%/libsrv-test.la
%canon_reldir%_libsrv_test_la_SOURCES = \
	%reldir%/srv-test-classes.c \
	%reldir%/srv-test-clients.c \
	%reldir%/srv-test-handlers.c \
	%reldir%/srv-test-log.c \
	%reldir%/srv-test-private.h \
	%reldir%/srv-test-process.c \
	%reldir%/srv-test-servers.c \
	%reldir%/srv-test-shared.c \
	%reldir%/srv-test.c \
	%reldir%/srv-test.h \
	$(NULL)
if HAVE_TSAN
%canon_reldir%_libsrv_test_la_SOURCES += %reldir%/tsan-glib.c
endif
%canon_reldir%_libsrv_test_la_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
if CODE_COVERAGE_ENABLED
%canon_reldir%_libsrv_test_la_CFLAGS += -DSRV_COVERAGE
endif

# Programs that name no libraries of their own are the Check programs.
AM_CFLAGS += $(CHECK_CFLAGS)
LDADD = \
	%reldir%/libsrv-test.la \
	$(handlers_internal) \
	framework/libsrv-internal.la \
	$(CHECK_LIBS) \
	$(GLIB_LIBS) \
	$(CODE_COVERAGE_LIBS) \
	$(NULL)
else
check-local:
	@echo 'make check needs the library check (Debian: check);' >&2
	@echo 'install it, then run configure again.' >&2
	@false
endif

# The bench: our servers beside others in one run. The others are built by the
# runner, as far as their packages are installed.
bench_programs = \
	%reldir%/bench/line-server \
	%reldir%/bench/load \
	$(NULL)
check_PROGRAMS += $(bench_programs)
%canon_reldir%_bench_line_server_SOURCES = \
	%reldir%/bench/line-server.c \
	%reldir%/tls-over.c \
	%reldir%/tls-over.h \
	$(NULL)
%canon_reldir%_bench_line_server_LDADD = $(samples_ldadd)
%canon_reldir%_bench_line_server_LDFLAGS = $(samples_ldflags)
%canon_reldir%_bench_load_SOURCES = \
	%reldir%/bench/load.c \
	%reldir%/bench/load.h \
	%reldir%/bench/load-datagram.c \
	%reldir%/bench/load-fan-out.c \
	%reldir%/bench/load-stats.c \
	%reldir%/bench/load-stream.c \
	%reldir%/bench/load-target.c \
	$(NULL)
%canon_reldir%_bench_load_LDADD = $(samples_ldadd)
%canon_reldir%_bench_load_LDFLAGS = $(samples_ldflags)

bench_run = \
	CC='$(CC)' CXX='$(HEADER_CXX)' PKG_CONFIG='$(PKG_CONFIG)' \
	PYTHONDONTWRITEBYTECODE=1 SRV_CFLAGS='$(CFLAGS) $(SANITIZER_CFLAGS)' \
	$(PYTHON) $(srcdir)/%reldir%/bench/run.py --build .

bench: all $(bench_programs)
	$(bench_run) --short
# Writes its figures into the manual.
bench-full: all $(bench_programs)
	$(bench_run) --document $(srcdir)/docs/performance.md

# Whether clients of TLS keep a thousand others waiting.
bench-tls: all $(bench_programs)
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) $(srcdir)/%reldir%/bench/tls-beside.py .

# Servers under load for SOAK_SECONDS, 10 if it is not set: an hour is 3600.
soak: all
	$(AM_TESTS_ENVIRONMENT) $(PYTHON) $(srcdir)/%reldir%/soak.py
.PHONY: bench bench-full bench-tls soak

EXTRA_DIST += \
	%reldir%/bench/asio-echo.cc \
	%reldir%/bench/asyncio-echo.py \
	%reldir%/bench/cases.py \
	%reldir%/bench/cpython-echo.py \
	%reldir%/bench/epoll-broadcast.c \
	%reldir%/bench/epoll-echo.c \
	%reldir%/bench/fork-echo.c \
	%reldir%/bench/gio-echo.c \
	%reldir%/bench/go-echo.go \
	%reldir%/bench/iterative-echo.c \
	%reldir%/bench/libevent-echo.c \
	%reldir%/bench/libuv-echo.c \
	%reldir%/bench/net-server-echo.pl \
	%reldir%/bench/peer.h \
	%reldir%/bench/pool-echo.c \
	%reldir%/bench/prefork-echo.c \
	%reldir%/bench/pthread-echo.c \
	%reldir%/bench/report.py \
	%reldir%/bench/run.py \
	%reldir%/bench/sample.py \
	%reldir%/bench/servers.py \
	%reldir%/bench/st-echo.c \
	%reldir%/bench/tls-beside.py \
	%reldir%/bench/udp-batch-echo.c \
	%reldir%/bench/udp-echo.c \
	$(NULL)

# It installs from the build folder, for which libtool links the libraries once
# more: nobody may use them at that time.
%reldir%/test-installed.log: \
	$(filter-out %reldir%/test-installed.log, $(TEST_LOGS))

# How tests are run

TEST_EXTENSIONS = .sh .py
LOG_DRIVER = \
	env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(BASH)
PY_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_COMPILER = $(BASH) $(srcdir)/%reldir%/run-python.sh

# Check prints TAP by its own variable. GIO's proxy module starts a thread, its
# other modules open descriptors: tests count both.
AM_TESTS_ENVIRONMENT = \
	CK_TAP_LOG_FILE_NAME=-; export CK_TAP_LOG_FILE_NAME; \
	CK_VERBOSITY=silent; export CK_VERBOSITY; \
	G_DEBUG=fatal-criticals; export G_DEBUG; \
	GIO_USE_PROXY_RESOLVER=dummy; export GIO_USE_PROXY_RESOLVER; \
	GIO_USE_VFS=local; export GIO_USE_VFS; \
	GSETTINGS_BACKEND=memory; export GSETTINGS_BACKEND; \
	LC_ALL=C.UTF-8; export LC_ALL; \
	SRV_SRCDIR='$(abs_top_srcdir)'; export SRV_SRCDIR; \
	SRV_BUILDDIR='$(abs_top_builddir)'; export SRV_BUILDDIR; \
	G_TEST_SRCDIR='$(abs_top_srcdir)/tests'; export G_TEST_SRCDIR; \
	G_TEST_BUILDDIR='$(abs_top_builddir)/tests'; export G_TEST_BUILDDIR; \
	LD_LIBRARY_PATH="$(test_library_path)$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH}"; \
	export LD_LIBRARY_PATH; \
	GI_TYPELIB_PATH="$(abs_top_builddir)$${GI_TYPELIB_PATH:+:$$GI_TYPELIB_PATH}"; \
	export GI_TYPELIB_PATH; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	MAKE='$(MAKE)'; export MAKE; \
	CC='$(CC)'; export CC; \
	$(test_tools)

test_library_path = \
	$(abs_top_builddir)/framework/.libs:$(abs_top_builddir)/handlers/.libs

# What configure found, for scripts; empty or "no" means: not there.
test_tools = \
	SRV_PYTHON='$(PYTHON)'; export SRV_PYTHON; \
	SRV_PYTHON_GI='$(PYTHON_GI)'; export SRV_PYTHON_GI; \
	SRV_INTROSPECTION='$(found_introspection)'; export SRV_INTROSPECTION; \
	SRV_SANITIZERS='$(enable_sanitizers)'; export SRV_SANITIZERS; \
	SRV_CODE_COVERAGE='$(CODE_COVERAGE_ENABLED)'; export SRV_CODE_COVERAGE; \
	SRV_VALAC='$(test_valac)'; export SRV_VALAC; \
	SRV_CXX='$(HEADER_CXX)'; export SRV_CXX; \
	SRV_CLANG_FORMAT='$(CLANG_FORMAT)'; export SRV_CLANG_FORMAT; \
	SRV_GI_DOCGEN='$(GI_DOCGEN)'; export SRV_GI_DOCGEN; \
	SRV_GLIB_CFLAGS='$(GLIB_CFLAGS)'; export SRV_GLIB_CFLAGS; \
	SRV_GLIB_LIBS='$(GLIB_LIBS)'; export SRV_GLIB_LIBS; \
	SRV_PKG_CONFIG='$(PKG_CONFIG)'; export SRV_PKG_CONFIG;
if HAVE_VALAC
test_valac = $(VALAC)
endif

# The Check programs once more, under valgrind. Each test is a process of its
# own, so each is also checked for leaks on its own.
valgrind_compiler = \
	$(LIBTOOL) --mode=execute $(VALGRIND) \
	--quiet \
	--error-exitcode=99 \
	--leak-check=full \
	--show-leak-kinds=definite \
	--errors-for-leak-kinds=definite \
	--num-callers=30 \
	--suppressions=$(abs_top_srcdir)/%reldir%/valgrind.supp \
	$(glib_suppressions) \
	$(NULL)
glib_suppressions = \
	$(addprefix --suppressions=,$(wildcard $(GLIB_SUPPRESSIONS)))
# Left out is what valgrind changes: it keeps descriptor limits by closing what
# was accepted, instead of not accepting it (test-accept), and is too slow for
# the hundreds of children of test-forking, and for what its tests read of the
# descriptors of a child, which are not only the child's there.
valgrind_tests = $(filter-out %reldir%/test-accept %reldir%/test-forking \
	%reldir%/test-forking-child, $(test_programs))

check-valgrind: all
if HAVE_VALGRIND
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(check_LTLIBRARIES) $(check_PROGRAMS)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
	  TESTS='$(valgrind_tests)' \
	  LOG_COMPILER='$(valgrind_compiler)' \
	  TESTS_ENVIRONMENT='G_SLICE=always-malloc SRV_VALGRIND=1 SRV_TEST_SHORT=1 CK_TIMEOUT_MULTIPLIER=10' \
	  TEST_SUITE_LOG=test-suite-valgrind.log
else
	@echo 'configure was told not to use valgrind, or did not find it' >&2
	@false
endif

# The Check programs once more, for a ThreadSanitizer build. Left out is what it
# cannot tell: GLib's main context has locks that it does not see (test-attach),
# a child that was forked beside threads does not survive it (test-command,
# test-drain, test-forking and its child), and with few descriptors it cannot name what it
# found, so that nothing can be suppressed (test-accept).
thread_tests = $(filter-out %reldir%/test-accept %reldir%/test-attach \
	%reldir%/test-command %reldir%/test-drain %reldir%/test-forking \
	%reldir%/test-forking-child, $(test_programs))

check-threads: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(check_LTLIBRARIES) $(check_PROGRAMS)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
	  TESTS='$(thread_tests)' \
	  TESTS_ENVIRONMENT='G_SLICE=always-malloc SRV_TEST_SHORT=1 TSAN_OPTIONS="$(tsan_options)"' \
	  TEST_SUITE_LOG=test-suite-threads.log
tsan_options = \
	die_after_fork=0 \
	exitcode=66 \
	second_deadlock_stack=1 \
	suppressions=$(abs_top_srcdir)/%reldir%/tsan.supp \
	$(NULL)

CLEANFILES += %reldir%/bench/samples.jsonl
clean-bench:
	rm -rf %reldir%/bench/peers

CLEANFILES += test-suite-threads.log test-suite-valgrind.log

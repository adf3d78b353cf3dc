# framework/local.mk - the library libsocketserver-1.0
#
# SPDX-License-Identifier: LGPL-2.1-or-later

srv_public_headers = \
	%reldir%/socketserver.h \
	%reldir%/srv-base-request-handler.h \
	%reldir%/srv-base-server.h \
	%reldir%/srv-charset-converter.h \
	%reldir%/srv-charset-stream.h \
	%reldir%/srv-client.h \
	%reldir%/srv-connection.h \
	%reldir%/srv-create-connection.h \
	%reldir%/srv-create-server-socket.h \
	%reldir%/srv-create-server.h \
	%reldir%/srv-datagram-request-handler.h \
	%reldir%/srv-datagram-server.h \
	%reldir%/srv-datagram.h \
	%reldir%/srv-endpoint.h \
	%reldir%/srv-enums.h \
	%reldir%/srv-error.h \
	%reldir%/srv-escape.h \
	%reldir%/srv-fiber-mix-in.h \
	%reldir%/srv-forking-mix-in.h \
	%reldir%/srv-frame-decoder.h \
	%reldir%/srv-frame-input-stream.h \
	%reldir%/srv-frame-output-stream.h \
	%reldir%/srv-framing.h \
	%reldir%/srv-getaddrinfo.h \
	%reldir%/srv-getnameinfo.h \
	%reldir%/srv-getservbyname.h \
	%reldir%/srv-has-dualstack-ipv6.h \
	%reldir%/srv-mix-in.h \
	%reldir%/srv-mixed-servers.h \
	%reldir%/srv-prefork-mix-in.h \
	%reldir%/srv-reader.h \
	%reldir%/srv-request.h \
	%reldir%/srv-scoreboard.h \
	%reldir%/srv-send-fds.h \
	%reldir%/srv-signals.h \
	%reldir%/srv-socketpair.h \
	%reldir%/srv-spawn.h \
	%reldir%/srv-stream-request-handler.h \
	%reldir%/srv-stream-server.h \
	%reldir%/srv-sync.h \
	%reldir%/srv-tcp-server.h \
	%reldir%/srv-thread-pool-mix-in.h \
	%reldir%/srv-threading-mix-in.h \
	%reldir%/srv-types.h \
	%reldir%/srv-udp-server.h \
	%reldir%/srv-unix-datagram-server.h \
	%reldir%/srv-unix-stream-server.h \
	%reldir%/srv-visibility.h \
	%reldir%/srv-wait.h \
	%reldir%/srv-writer.h \
	$(NULL)

srv_sources = \
	%reldir%/fiber/srv-fiber-context.c \
	%reldir%/fiber/srv-fiber-overflow.c \
	%reldir%/fiber/srv-fiber-stack.c \
	%reldir%/fiber/srv-fiber-timer.c \
	%reldir%/fiber/srv-fiber-wait.c \
	%reldir%/fiber/srv-fiber-watch.c \
	%reldir%/fiber/srv-fiber-worker.c \
	%reldir%/srv-accept.c \
	%reldir%/srv-base-request-handler.c \
	%reldir%/srv-base-server-child.c \
	%reldir%/srv-base-server-close.c \
	%reldir%/srv-base-server-handler.c \
	%reldir%/srv-base-server-loop.c \
	%reldir%/srv-base-server-request.c \
	%reldir%/srv-base-server-run.c \
	%reldir%/srv-base-server-settings.c \
	%reldir%/srv-base-server-source.c \
	%reldir%/srv-base-server-twins.c \
	%reldir%/srv-base-server.c \
	%reldir%/srv-charset-converter.c \
	%reldir%/srv-charset-stream.c \
	%reldir%/srv-check.c \
	%reldir%/srv-children.c \
	%reldir%/srv-client.c \
	%reldir%/srv-connection-close.c \
	%reldir%/srv-connection-fiber.c \
	%reldir%/srv-connection-io.c \
	%reldir%/srv-connection-post.c \
	%reldir%/srv-connection-streams.c \
	%reldir%/srv-connection.c \
	%reldir%/srv-crash-row.c \
	%reldir%/srv-create-connection.c \
	%reldir%/srv-create-server-socket.c \
	%reldir%/srv-create-server.c \
	%reldir%/srv-datagram-batch.c \
	%reldir%/srv-datagram-replies.c \
	%reldir%/srv-datagram-request-handler.c \
	%reldir%/srv-datagram-server.c \
	%reldir%/srv-datagram.c \
	%reldir%/srv-dial.c \
	%reldir%/srv-endpoint-resolve.c \
	%reldir%/srv-endpoint.c \
	%reldir%/srv-enums.c \
	%reldir%/srv-errno.c \
	%reldir%/srv-error.c \
	%reldir%/srv-escape.c \
	%reldir%/srv-fiber-mix-in.c \
	%reldir%/srv-fiber-requests.c \
	%reldir%/srv-fiber-threads.c \
	%reldir%/srv-flusher.c \
	%reldir%/srv-forking-mix-in.c \
	%reldir%/srv-frame-decoder.c \
	%reldir%/srv-frame-input-stream.c \
	%reldir%/srv-frame-output-stream.c \
	%reldir%/srv-framing-header.c \
	%reldir%/srv-framing.c \
	%reldir%/srv-gate.c \
	%reldir%/srv-getaddrinfo.c \
	%reldir%/srv-getnameinfo.c \
	%reldir%/srv-getservbyname.c \
	%reldir%/srv-has-dualstack-ipv6.c \
	%reldir%/srv-hook.c \
	%reldir%/srv-inet-options.c \
	%reldir%/srv-listener.c \
	%reldir%/srv-log.c \
	%reldir%/srv-lookup.c \
	%reldir%/srv-mix-in.c \
	%reldir%/srv-mixed-servers.c \
	%reldir%/srv-new-server.c \
	%reldir%/srv-post-queue.c \
	%reldir%/srv-prefork-mix-in.c \
	%reldir%/srv-prefork-start.c \
	%reldir%/srv-prefork-workers.c \
	%reldir%/srv-process.c \
	%reldir%/srv-reader.c \
	%reldir%/srv-request-set.c \
	%reldir%/srv-request.c \
	%reldir%/srv-reuse.c \
	%reldir%/srv-scoreboard.c \
	%reldir%/srv-send-fds.c \
	%reldir%/srv-sender-limit.c \
	%reldir%/srv-service.c \
	%reldir%/srv-signals.c \
	%reldir%/srv-sockaddr.c \
	%reldir%/srv-socketpair.c \
	%reldir%/srv-spares.c \
	%reldir%/srv-spawn.c \
	%reldir%/srv-start-tls.c \
	%reldir%/srv-stream-request-handler.c \
	%reldir%/srv-stream-server.c \
	%reldir%/srv-sync.c \
	%reldir%/srv-task.c \
	%reldir%/srv-tcp-server.c \
	%reldir%/srv-thread-pool-mix-in.c \
	%reldir%/srv-thread-pool-queue.c \
	%reldir%/srv-thread-pool.c \
	%reldir%/srv-threading-mix-in.c \
	%reldir%/srv-threading-requests.c \
	%reldir%/srv-udp-server.c \
	%reldir%/srv-unix-datagram-server.c \
	%reldir%/srv-unix-options.c \
	%reldir%/srv-unix-path.c \
	%reldir%/srv-unix-stream-server.c \
	%reldir%/srv-wait-list.c \
	%reldir%/srv-wait-set.c \
	%reldir%/srv-wait.c \
	%reldir%/srv-worker-process.c \
	%reldir%/srv-writer.c \
	$(NULL)

srv_private_headers = \
	%reldir%/fiber/srv-fiber-context-private.h \
	%reldir%/fiber/srv-fiber-private.h \
	%reldir%/fiber/srv-fiber-stack-private.h \
	%reldir%/fiber/srv-fiber-tools-private.h \
	%reldir%/fiber/srv-fiber-worker-private.h \
	%reldir%/srv-accept-private.h \
	%reldir%/srv-base-server-loop-private.h \
	%reldir%/srv-base-server-private.h \
	%reldir%/srv-check-private.h \
	%reldir%/srv-children-private.h \
	%reldir%/srv-connection-private.h \
	%reldir%/srv-connection-streams-private.h \
	%reldir%/srv-crash-row-private.h \
	%reldir%/srv-datagram-batch-private.h \
	%reldir%/srv-datagram-private.h \
	%reldir%/srv-datagram-replies-private.h \
	%reldir%/srv-deadline-private.h \
	%reldir%/srv-dial-private.h \
	%reldir%/srv-endpoint-private.h \
	%reldir%/srv-errno-private.h \
	%reldir%/srv-fiber-mix-in-private.h \
	%reldir%/srv-flusher-private.h \
	%reldir%/srv-framing-private.h \
	%reldir%/srv-gate-private.h \
	%reldir%/srv-hook-private.h \
	%reldir%/srv-inet-options-private.h \
	%reldir%/srv-last-thread-private.h \
	%reldir%/srv-listener-private.h \
	%reldir%/srv-log-private.h \
	%reldir%/srv-lookup-private.h \
	%reldir%/srv-new-server-private.h \
	%reldir%/srv-nowait-private.h \
	%reldir%/srv-post-queue-private.h \
	%reldir%/srv-prefork-private.h \
	%reldir%/srv-process-private.h \
	%reldir%/srv-reader-private.h \
	%reldir%/srv-request-set-private.h \
	%reldir%/srv-reuse-private.h \
	%reldir%/srv-scoreboard-private.h \
	%reldir%/srv-sender-limit-private.h \
	%reldir%/srv-service-private.h \
	%reldir%/srv-sockaddr-private.h \
	%reldir%/srv-spares-private.h \
	%reldir%/srv-spawn-private.h \
	%reldir%/srv-task-private.h \
	%reldir%/srv-thread-pool-private.h \
	%reldir%/srv-threading-mix-in-private.h \
	%reldir%/srv-unix-options-private.h \
	%reldir%/srv-unix-path-private.h \
	%reldir%/srv-wait-list-private.h \
	%reldir%/srv-wait-private.h \
	%reldir%/srv-wait-set-private.h \
	%reldir%/srv-worker-process-private.h \
	$(NULL)

# All symbols, for tests that look inside; hidden ones can still be linked to
# from here, for it is only a heap of objects.
noinst_LTLIBRARIES += %reldir%/libsrv-internal.la
%canon_reldir%_libsrv_internal_la_SOURCES = \
	$(srv_sources) \
	$(srv_private_headers) \
	$(NULL)
%canon_reldir%_libsrv_internal_la_CFLAGS = $(AM_CFLAGS) $(VISIBILITY_CFLAGS)
%canon_reldir%_libsrv_internal_la_LIBADD = \
	$(GLIB_LIBS) \
	$(CODE_COVERAGE_LIBS) \
	$(NULL)

# What is installed: of the same objects, only what headers mark as public.
lib_LTLIBRARIES += %reldir%/libsocketserver-1.0.la
%canon_reldir%_libsocketserver_1_0_la_SOURCES =
%canon_reldir%_libsocketserver_1_0_la_LIBADD = %reldir%/libsrv-internal.la
%canon_reldir%_libsocketserver_1_0_la_LDFLAGS = \
	$(AM_LDFLAGS) \
	-no-undefined \
	-version-info $(SRV_LIBTOOL_VERSION) \
	$(NULL)

pkginclude_HEADERS += $(srv_public_headers)
nodist_pkginclude_HEADERS += %reldir%/srv-version.h

if HAVE_INTROSPECTION
INTROSPECTION_GIRS += SocketServer-1.0.gir
gir_DATA += SocketServer-1.0.gir
typelib_DATA += SocketServer-1.0.typelib

SocketServer-1.0.gir: %reldir%/libsocketserver-1.0.la
SocketServer_1_0_gir_INCLUDES = Gio-2.0
SocketServer_1_0_gir_PACKAGES = gio-2.0
SocketServer_1_0_gir_EXPORT_PACKAGES = socketserver-1.0
SocketServer_1_0_gir_C_INCLUDES = socketserver.h
SocketServer_1_0_gir_CFLAGS = \
	-I$(top_srcdir)/framework \
	-I$(top_builddir)/framework \
	$(NULL)
SocketServer_1_0_gir_LIBS = %reldir%/libsocketserver-1.0.la
SocketServer_1_0_gir_FILES = \
	$(srv_public_headers) \
	%reldir%/srv-version.h \
	$(srv_sources) \
	$(NULL)
SocketServer_1_0_gir_SCANNERFLAGS = \
	--identifier-prefix=Srv \
	--symbol-prefix=srv \
	$(NULL)
endif

if ENABLE_VAPIGEN
vapi_DATA += socketserver-1.0.vapi socketserver-1.0.deps

socketserver-1.0.vapi: \
	SocketServer-1.0.gir \
	packaging/SocketServer-1.0.metadata \
	socketserver-1.0.deps \
	$(NULL)
	$(vapi_generate) --library=socketserver-1.0 SocketServer-1.0.gir
	$(AM_V_at)touch $@

# vapigen and valac look for it beside the .vapi.
socketserver-1.0.deps:
	$(AM_V_GEN)echo gio-2.0 > $@
endif

# handlers/local.mk - the library libsocketserver-handlers-1.0
#
# SPDX-License-Identifier: LGPL-2.1-or-later

srv_handlers_public_headers = \
	%reldir%/socketserver-handlers.h \
	%reldir%/srv-account-error.h \
	%reldir%/srv-account-store.h \
	%reldir%/srv-auth-handler.h \
	%reldir%/srv-chargen-handler.h \
	%reldir%/srv-chat-error.h \
	%reldir%/srv-chat-event.h \
	%reldir%/srv-chat-handler.h \
	%reldir%/srv-chat-hub.h \
	%reldir%/srv-chat-member.h \
	%reldir%/srv-chat-store.h \
	%reldir%/srv-command-frame.h \
	%reldir%/srv-command-handler.h \
	%reldir%/srv-command-policy.h \
	%reldir%/srv-datagram-echo-handler.h \
	%reldir%/srv-datagram-time-handler.h \
	%reldir%/srv-datagram-upper-handler.h \
	%reldir%/srv-discard-handler.h \
	%reldir%/srv-echo-handler.h \
	%reldir%/srv-event-log.h \
	%reldir%/srv-finger-handler.h \
	%reldir%/srv-greeting-handler.h \
	%reldir%/srv-identity-handler.h \
	%reldir%/srv-jim-handler.h \
	%reldir%/srv-line-chat-handler.h \
	%reldir%/srv-memory-chat-store.h \
	%reldir%/srv-script-handler.h \
	%reldir%/srv-script.h \
	%reldir%/srv-time-format.h \
	%reldir%/srv-time-handler.h \
	%reldir%/srv-upload-handler.h \
	%reldir%/srv-upload-store.h \
	%reldir%/srv-upper-handler.h \
	$(NULL)

srv_handlers_sources = \
	%reldir%/srv-account-admin.c \
	%reldir%/srv-account-attempts.c \
	%reldir%/srv-account-chat.c \
	%reldir%/srv-account-contacts.c \
	%reldir%/srv-account-error.c \
	%reldir%/srv-account-hash.c \
	%reldir%/srv-account-identities.c \
	%reldir%/srv-account-login.c \
	%reldir%/srv-account-name.c \
	%reldir%/srv-account-revoke.c \
	%reldir%/srv-account-schema.c \
	%reldir%/srv-account-sessions.c \
	%reldir%/srv-account-settings.c \
	%reldir%/srv-account-store.c \
	%reldir%/srv-auth-command.c \
	%reldir%/srv-auth-commands.c \
	%reldir%/srv-auth-greeting.c \
	%reldir%/srv-auth-handler.c \
	%reldir%/srv-chargen-handler.c \
	%reldir%/srv-chat-contacts.c \
	%reldir%/srv-chat-error.c \
	%reldir%/srv-chat-event.c \
	%reldir%/srv-chat-handler-settings.c \
	%reldir%/srv-chat-handler.c \
	%reldir%/srv-chat-hub-rooms.c \
	%reldir%/srv-chat-hub-settings.c \
	%reldir%/srv-chat-hub.c \
	%reldir%/srv-chat-limits.c \
	%reldir%/srv-chat-mail.c \
	%reldir%/srv-chat-member.c \
	%reldir%/srv-chat-name.c \
	%reldir%/srv-chat-record.c \
	%reldir%/srv-chat-room.c \
	%reldir%/srv-chat-store.c \
	%reldir%/srv-command-allow-list.c \
	%reldir%/srv-command-exec.c \
	%reldir%/srv-command-frame.c \
	%reldir%/srv-command-frames.c \
	%reldir%/srv-command-handler.c \
	%reldir%/srv-command-peer.c \
	%reldir%/srv-command-plain.c \
	%reldir%/srv-command-policy-file.c \
	%reldir%/srv-command-policy.c \
	%reldir%/srv-command-process.c \
	%reldir%/srv-command-run.c \
	%reldir%/srv-command-session.c \
	%reldir%/srv-command-supervisor.c \
	%reldir%/srv-command-template.c \
	%reldir%/srv-datagram-echo-handler.c \
	%reldir%/srv-datagram-time-handler.c \
	%reldir%/srv-datagram-upper-handler.c \
	%reldir%/srv-dialogue.c \
	%reldir%/srv-discard-handler.c \
	%reldir%/srv-echo-handler.c \
	%reldir%/srv-event-log.c \
	%reldir%/srv-event-sink.c \
	%reldir%/srv-finger-handler.c \
	%reldir%/srv-greeting-handler.c \
	%reldir%/srv-identity-handler.c \
	%reldir%/srv-identity-session.c \
	%reldir%/srv-jim-contacts.c \
	%reldir%/srv-jim-framer.c \
	%reldir%/srv-jim-handler.c \
	%reldir%/srv-jim-json.c \
	%reldir%/srv-jim-message.c \
	%reldir%/srv-jim-render.c \
	%reldir%/srv-jim-session.c \
	%reldir%/srv-jim-settings.c \
	%reldir%/srv-line-chat-handler.c \
	%reldir%/srv-memory-chat-contacts.c \
	%reldir%/srv-memory-chat-store.c \
	%reldir%/srv-peer.c \
	%reldir%/srv-script-handler.c \
	%reldir%/srv-script.c \
	%reldir%/srv-time-format.c \
	%reldir%/srv-time-handler.c \
	%reldir%/srv-time-limit.c \
	%reldir%/srv-upload-directory.c \
	%reldir%/srv-upload-file.c \
	%reldir%/srv-upload-handler.c \
	%reldir%/srv-upload-input.c \
	%reldir%/srv-upload-protocol.c \
	%reldir%/srv-upload-store.c \
	%reldir%/srv-upper-handler.c \
	$(NULL)

# What needs a library that may lack, or what there is instead.
srv_handlers_optional = \
	%reldir%/srv-database-none.c \
	%reldir%/srv-database.c \
	%reldir%/srv-secret-none.c \
	%reldir%/srv-secret.c \
	$(NULL)
EXTRA_DIST += $(srv_handlers_optional)
if HAVE_SODIUM
srv_handlers_sources += %reldir%/srv-secret.c
else
srv_handlers_sources += %reldir%/srv-secret-none.c
endif
if HAVE_SQLITE
srv_handlers_sources += %reldir%/srv-database.c
else
srv_handlers_sources += %reldir%/srv-database-none.c
endif

srv_handlers_private_headers = \
	%reldir%/srv-account-store-private.h \
	%reldir%/srv-ascii-private.h \
	%reldir%/srv-auth-command-private.h \
	%reldir%/srv-auth-session-private.h \
	%reldir%/srv-chat-event-private.h \
	%reldir%/srv-chat-handler-private.h \
	%reldir%/srv-chat-hub-private.h \
	%reldir%/srv-chat-limits-private.h \
	%reldir%/srv-chat-name-private.h \
	%reldir%/srv-chat-room-private.h \
	%reldir%/srv-chat-store-private.h \
	%reldir%/srv-command-exec-private.h \
	%reldir%/srv-command-plan-private.h \
	%reldir%/srv-command-policy-private.h \
	%reldir%/srv-command-process-private.h \
	%reldir%/srv-command-run-private.h \
	%reldir%/srv-command-session-private.h \
	%reldir%/srv-command-supervisor-private.h \
	%reldir%/srv-command-template-private.h \
	%reldir%/srv-database-private.h \
	%reldir%/srv-dialogue-private.h \
	%reldir%/srv-event-sink-private.h \
	%reldir%/srv-identity-session-private.h \
	%reldir%/srv-jim-contacts-private.h \
	%reldir%/srv-jim-framer-private.h \
	%reldir%/srv-jim-json-private.h \
	%reldir%/srv-jim-message-private.h \
	%reldir%/srv-jim-session-private.h \
	%reldir%/srv-jim-settings-private.h \
	%reldir%/srv-memory-chat-store-private.h \
	%reldir%/srv-peer-private.h \
	%reldir%/srv-script-private.h \
	%reldir%/srv-secret-private.h \
	%reldir%/srv-time-limit-private.h \
	%reldir%/srv-upload-directory-private.h \
	%reldir%/srv-upload-file-private.h \
	%reldir%/srv-upload-input-private.h \
	%reldir%/srv-upload-protocol-private.h \
	%reldir%/srv-upload-store-private.h \
	$(NULL)

# As in framework/local.mk: all symbols for the tests, the public ones installed.
noinst_LTLIBRARIES += %reldir%/libsrv-handlers-internal.la
%canon_reldir%_libsrv_handlers_internal_la_SOURCES = \
	$(srv_handlers_sources) \
	$(srv_handlers_private_headers) \
	$(NULL)
%canon_reldir%_libsrv_handlers_internal_la_CFLAGS = \
	$(AM_CFLAGS) \
	$(JANSSON_CFLAGS) \
	$(VISIBILITY_CFLAGS) \
	$(SODIUM_CFLAGS) \
	$(SQLITE_CFLAGS) \
	$(NULL)
%canon_reldir%_libsrv_handlers_internal_la_LIBADD = \
	$(GLIB_LIBS) \
	$(JANSSON_LIBS) \
	$(SODIUM_LIBS) \
	$(SQLITE_LIBS) \
	$(CODE_COVERAGE_LIBS) \
	$(NULL)

lib_LTLIBRARIES += %reldir%/libsocketserver-handlers-1.0.la
%canon_reldir%_libsocketserver_handlers_1_0_la_SOURCES =
%canon_reldir%_libsocketserver_handlers_1_0_la_LIBADD = \
	%reldir%/libsrv-handlers-internal.la \
	framework/libsocketserver-1.0.la \
	$(NULL)
%canon_reldir%_libsocketserver_handlers_1_0_la_LDFLAGS = \
	$(AM_LDFLAGS) \
	-no-undefined \
	-version-info $(SRV_LIBTOOL_VERSION) \
	$(NULL)

handlers_internal = %reldir%/libsrv-handlers-internal.la

pkginclude_HEADERS += $(srv_handlers_public_headers)

if HAVE_INTROSPECTION
INTROSPECTION_GIRS += SocketServerHandlers-1.0.gir
gir_DATA += SocketServerHandlers-1.0.gir
typelib_DATA += SocketServerHandlers-1.0.typelib

SocketServerHandlers-1.0.gir: \
	%reldir%/libsocketserver-handlers-1.0.la \
	SocketServer-1.0.gir \
	$(NULL)
SocketServerHandlers-1.0.typelib: SocketServer-1.0.typelib
SocketServerHandlers_1_0_gir_INCLUDES = Gio-2.0
SocketServerHandlers_1_0_gir_PACKAGES = gio-2.0
SocketServerHandlers_1_0_gir_EXPORT_PACKAGES = socketserver-handlers-1.0
SocketServerHandlers_1_0_gir_C_INCLUDES = socketserver-handlers.h
SocketServerHandlers_1_0_gir_CFLAGS = \
	-I$(top_srcdir)/framework \
	-I$(top_builddir)/framework \
	-I$(top_srcdir)/handlers \
	$(NULL)
SocketServerHandlers_1_0_gir_LIBS = %reldir%/libsocketserver-handlers-1.0.la
SocketServerHandlers_1_0_gir_FILES = \
	$(srv_handlers_public_headers) \
	$(srv_handlers_sources) \
	$(NULL)
SocketServerHandlers_1_0_gir_SCANNERFLAGS = \
	--identifier-prefix=Srv \
	--include-uninstalled=SocketServer-1.0.gir \
	--symbol-prefix=srv \
	$(NULL)
endif

if ENABLE_VAPIGEN
vapi_DATA += socketserver-handlers-1.0.vapi socketserver-handlers-1.0.deps

socketserver-handlers-1.0.vapi: \
	SocketServerHandlers-1.0.gir \
	packaging/SocketServerHandlers-1.0.metadata \
	socketserver-1.0.vapi \
	socketserver-handlers-1.0.deps \
	$(NULL)
	$(vapi_generate) --library=socketserver-handlers-1.0 \
	  --pkg=socketserver-1.0 SocketServerHandlers-1.0.gir
	$(AM_V_at)touch $@

socketserver-handlers-1.0.deps:
	$(AM_V_GEN)printf 'gio-2.0\nsocketserver-1.0\n' > $@
endif

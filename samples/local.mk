# samples/local.mk - programs that show the library; none is installed
#
# SPDX-License-Identifier: LGPL-2.1-or-later

# What the samples share.
noinst_LTLIBRARIES += %reldir%/libsample.la
%canon_reldir%_libsample_la_SOURCES = \
	%reldir%/sample-accounts.c \
	%reldir%/sample-accounts.h \
	%reldir%/sample-answer.c \
	%reldir%/sample-answer.h \
	%reldir%/sample-client.c \
	%reldir%/sample-client.h \
	%reldir%/sample-config.c \
	%reldir%/sample-config.h \
	%reldir%/sample-console.c \
	%reldir%/sample-console.h \
	%reldir%/sample-log.c \
	%reldir%/sample-log.h \
	%reldir%/sample-manager.c \
	%reldir%/sample-manager.h \
	%reldir%/sample-pid-file.c \
	%reldir%/sample-pid-file.h \
	%reldir%/sample-progress.c \
	%reldir%/sample-progress.h \
	%reldir%/sample-secret.c \
	%reldir%/sample-secret.h \
	%reldir%/sample-server.c \
	%reldir%/sample-server.h \
	%reldir%/sample-talk.c \
	%reldir%/sample-talk.h \
	%reldir%/sample-time.c \
	%reldir%/sample-time.h \
	%reldir%/sample-upload.c \
	%reldir%/sample-upload.h \
	$(NULL)

# The programs run from the build tree as they are, without a wrapper.
samples_ldflags = $(AM_LDFLAGS) -no-install
samples_ldadd = \
	%reldir%/libsample.la \
	handlers/libsocketserver-handlers-1.0.la \
	framework/libsocketserver-1.0.la \
	$(GLIB_LIBS) \
	$(CODE_COVERAGE_LIBS) \
	$(NULL)

noinst_PROGRAMS += \
	%reldir%/auth-client \
	%reldir%/auth-server \
	%reldir%/chat-admin \
	%reldir%/chat-server \
	%reldir%/command-client \
	%reldir%/command-server \
	%reldir%/echo-client \
	%reldir%/echo-server \
	%reldir%/greeting-client \
	%reldir%/greeting-server \
	%reldir%/identity-client \
	%reldir%/identity-server \
	%reldir%/minimal \
	%reldir%/multiplex-server \
	%reldir%/operator-client \
	%reldir%/operator-server \
	%reldir%/pair \
	%reldir%/simple-server \
	%reldir%/time-client \
	%reldir%/time-server \
	%reldir%/upload-client \
	%reldir%/upload-server \
	%reldir%/upper-client \
	%reldir%/upper-server \
	$(NULL)

%canon_reldir%_auth_client_LDADD = $(samples_ldadd)
%canon_reldir%_auth_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_auth_server_LDADD = $(samples_ldadd)
%canon_reldir%_auth_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_chat_admin_LDADD = $(samples_ldadd)
%canon_reldir%_chat_admin_LDFLAGS = $(samples_ldflags)

%canon_reldir%_chat_server_SOURCES = \
	%reldir%/chat-limits.c \
	%reldir%/chat-limits.h \
	%reldir%/chat-server.c \
	$(NULL)
%canon_reldir%_chat_server_LDADD = $(samples_ldadd)
%canon_reldir%_chat_server_LDFLAGS = $(samples_ldflags)

if HAVE_JANSSON
noinst_PROGRAMS += %reldir%/chat-client
%canon_reldir%_chat_client_SOURCES = \
	%reldir%/chat-client.c \
	%reldir%/chat-command.c \
	%reldir%/chat-command.h \
	%reldir%/chat-link.c \
	%reldir%/chat-link.h \
	%reldir%/chat-object.c \
	%reldir%/chat-object.h \
	%reldir%/chat-password.c \
	%reldir%/chat-password.h \
	%reldir%/chat-screen.c \
	%reldir%/chat-screen.h \
	%reldir%/chat-session.c \
	%reldir%/chat-session.h \
	%reldir%/chat-view.c \
	%reldir%/chat-view.h \
	$(NULL)
%canon_reldir%_chat_client_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_chat_client_LDADD = $(samples_ldadd) $(JANSSON_LIBS)
%canon_reldir%_chat_client_LDFLAGS = $(samples_ldflags)
if HAVE_LIBEDIT
%canon_reldir%_chat_client_SOURCES += \
	%reldir%/chat-editor.c \
	%reldir%/chat-editor.h \
	$(NULL)
%canon_reldir%_chat_client_CFLAGS += -DCHAT_HAVE_EDITOR $(LIBEDIT_CFLAGS)
%canon_reldir%_chat_client_LDADD += $(LIBEDIT_LIBS)
endif
endif

%canon_reldir%_command_client_SOURCES = \
	%reldir%/command-client.c \
	%reldir%/command-talk.c \
	%reldir%/command-talk.h \
	$(NULL)
%canon_reldir%_command_client_LDADD = $(samples_ldadd)
%canon_reldir%_command_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_command_server_LDADD = $(samples_ldadd)
%canon_reldir%_command_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_echo_client_LDADD = $(samples_ldadd)
%canon_reldir%_echo_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_echo_server_LDADD = $(samples_ldadd)
%canon_reldir%_echo_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_greeting_client_LDADD = $(samples_ldadd)
%canon_reldir%_greeting_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_greeting_server_LDADD = $(samples_ldadd)
%canon_reldir%_greeting_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_identity_client_LDADD = $(samples_ldadd)
%canon_reldir%_identity_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_identity_server_LDADD = $(samples_ldadd)
%canon_reldir%_identity_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_minimal_LDADD = \
	framework/libsocketserver-1.0.la \
	$(GLIB_LIBS) \
	$(CODE_COVERAGE_LIBS) \
	$(NULL)
%canon_reldir%_minimal_LDFLAGS = $(samples_ldflags)

%canon_reldir%_multiplex_server_SOURCES = \
	%reldir%/multiplex-mix-in.c \
	%reldir%/multiplex-mix-in.h \
	%reldir%/multiplex-server.c \
	$(NULL)
%canon_reldir%_multiplex_server_LDADD = $(samples_ldadd)
%canon_reldir%_multiplex_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_operator_client_LDADD = $(samples_ldadd)
%canon_reldir%_operator_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_operator_server_SOURCES = \
	%reldir%/operator-desk.c \
	%reldir%/operator-desk.h \
	%reldir%/operator-server.c \
	$(NULL)
%canon_reldir%_operator_server_LDADD = $(samples_ldadd)
%canon_reldir%_operator_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_pair_LDADD = $(samples_ldadd)
%canon_reldir%_pair_LDFLAGS = $(samples_ldflags)

%canon_reldir%_simple_server_LDADD = $(samples_ldadd)
%canon_reldir%_simple_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_time_client_LDADD = $(samples_ldadd)
%canon_reldir%_time_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_time_server_LDADD = $(samples_ldadd)
%canon_reldir%_time_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_upper_client_LDADD = $(samples_ldadd)
%canon_reldir%_upper_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_upper_server_LDADD = $(samples_ldadd)
%canon_reldir%_upper_server_LDFLAGS = $(samples_ldflags)

%canon_reldir%_upload_client_LDADD = $(samples_ldadd)
%canon_reldir%_upload_client_LDFLAGS = $(samples_ldflags)

%canon_reldir%_upload_server_LDADD = $(samples_ldadd)
%canon_reldir%_upload_server_LDFLAGS = $(samples_ldflags)

EXTRA_DIST += \
	%reldir%/README.md \
	%reldir%/auth-client.1 \
	%reldir%/auth-server.1 \
	%reldir%/chat-client.1 \
	%reldir%/chat-admin.1 \
	%reldir%/chat-server.1 \
	%reldir%/command-client.1 \
	%reldir%/command-server.1 \
	%reldir%/commands.conf \
	%reldir%/demo.sh \
	%reldir%/echo-client.1 \
	%reldir%/echo-server.1 \
	%reldir%/greeting-client.1 \
	%reldir%/greeting-server.1 \
	%reldir%/identity-client.1 \
	%reldir%/identity-server.1 \
	%reldir%/multiplex-server.1 \
	%reldir%/operator-client.1 \
	%reldir%/operator-server.1 \
	%reldir%/pair.1 \
	%reldir%/simple-server.1 \
	%reldir%/time-client.1 \
	%reldir%/time-server.1 \
	%reldir%/upload-client.1 \
	%reldir%/upload-server.1 \
	%reldir%/upper-client.1 \
	%reldir%/upper-server.1 \
	%reldir%/vala-echo.vala \
	$(NULL)

# docs/local.mk - the manual, made from the comments and the chapters here
#
# SPDX-License-Identifier: LGPL-2.1-or-later

docs_chapters = \
	%reldir%/choosing-a-mix-in.md \
	%reldir%/framing.md \
	%reldir%/index.md \
	%reldir%/jim-compatibility.md \
	%reldir%/multiplexed-echo.md \
	%reldir%/performance.md \
	%reldir%/performance.svg \
	%reldir%/porting.md \
	%reldir%/service.md \
	%reldir%/tutorial-systems.md \
	$(NULL)

docs_configs = \
	%reldir%/socketserver.toml \
	%reldir%/socketserver-handlers.toml \
	$(NULL)

EXTRA_DIST += \
	$(docs_chapters) \
	$(docs_configs) \
	%reldir%/parity.md \
	%reldir%/upload.md \
	%reldir%/urlmap.js \
	$(NULL)

if HAVE_DOCS
all-local: %reldir%/socketserver.stamp %reldir%/socketserver-handlers.stamp

docs_generate = \
	$(GI_DOCGEN) generate --quiet \
	--add-include-path=. \
	--content-dir=$(srcdir)/%reldir% \
	--no-namespace-dir \
	$(NULL)

%reldir%/socketserver.stamp: \
	SocketServer-1.0.gir \
	%reldir%/socketserver.toml \
	$(docs_chapters) \
	$(NULL)
	$(AM_V_GEN)$(docs_generate) \
	  --config=$(srcdir)/%reldir%/socketserver.toml \
	  --output-dir=%reldir%/html/socketserver-1.0 \
	  SocketServer-1.0.gir
	$(AM_V_at)touch $@

%reldir%/socketserver-handlers.stamp: \
	SocketServerHandlers-1.0.gir \
	%reldir%/socketserver-handlers.toml \
	$(NULL)
	$(AM_V_GEN)$(docs_generate) \
	  --config=$(srcdir)/%reldir%/socketserver-handlers.toml \
	  --output-dir=%reldir%/html/socketserver-handlers-1.0 \
	  SocketServerHandlers-1.0.gir
	$(AM_V_at)touch $@

install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(datadir)/doc'
	cp -R %reldir%/html/socketserver-1.0 \
	  %reldir%/html/socketserver-handlers-1.0 '$(DESTDIR)$(datadir)/doc'

uninstall-local:
	rm -rf '$(DESTDIR)$(datadir)/doc/socketserver-1.0' \
	  '$(DESTDIR)$(datadir)/doc/socketserver-handlers-1.0'
endif

clean-docs:
	rm -rf %reldir%/html %reldir%/*.stamp

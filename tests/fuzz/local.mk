# tests/fuzz/local.mk - fuzz targets, with libFuzzer and without
#
# SPDX-License-Identifier: LGPL-2.1-or-later

# A target is fuzz-NAME.c, its corpus the folder corpus/NAME. To add one: its
# name here, and its _SOURCES below.
fuzz_targets = \
	%reldir%/fuzz-auth \
	%reldir%/fuzz-command \
	%reldir%/fuzz-framing \
	%reldir%/fuzz-jim \
	%reldir%/fuzz-upload \
	$(NULL)

fuzz_common = \
	%reldir%/fuzz.h \
	%reldir%/replay.c \
	$(NULL)
# With private functions: what is fuzzed need not be public.
fuzz_ldadd = \
	$(handlers_internal) \
	framework/libsrv-internal.la \
	$(GLIB_LIBS) \
	$(CODE_COVERAGE_LIBS) \
	$(NULL)
%canon_reldir%_fuzz_auth_SOURCES = %reldir%/fuzz-auth.c $(fuzz_common)
%canon_reldir%_fuzz_auth_LDADD = $(fuzz_ldadd)
%canon_reldir%_fuzz_command_SOURCES = %reldir%/fuzz-command.c $(fuzz_common)
%canon_reldir%_fuzz_command_LDADD = $(fuzz_ldadd)
%canon_reldir%_fuzz_framing_SOURCES = %reldir%/fuzz-framing.c $(fuzz_common)
%canon_reldir%_fuzz_framing_LDADD = $(fuzz_ldadd)
%canon_reldir%_fuzz_jim_SOURCES = %reldir%/fuzz-jim.c $(fuzz_common)
%canon_reldir%_fuzz_jim_LDADD = $(fuzz_ldadd)
%canon_reldir%_fuzz_upload_SOURCES = %reldir%/fuzz-upload.c $(fuzz_common)
%canon_reldir%_fuzz_upload_LDADD = $(fuzz_ldadd)

# With any compiler: programs that replay the corpus, for `make check`.
check_PROGRAMS += $(fuzz_targets)

EXTRA_DIST += %reldir%/corpus

# With clang: `make fuzz` runs each target for FUZZ_SECONDS. The library is
# compiled into it, so that libFuzzer sees which ways are taken. What it finds
# new, and what ends a target, is kept in the folder build.
FUZZ_CC = clang
FUZZ_SECONDS = 20
fuzz_build = %reldir%/build
fuzz_cflags = \
	-g \
	-O1 \
	-pthread \
	-fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined \
	$(GLIB_CFLAGS) \
	$(JANSSON_CFLAGS) \
	$(SODIUM_CFLAGS) \
	$(SQLITE_CFLAGS) \
	$(NULL)
fuzz_objects = \
	$(patsubst %.c,$(fuzz_build)/%.o,$(srv_sources) $(srv_handlers_sources))
fuzz_headers = \
	%reldir%/fuzz.h \
	$(srv_public_headers) \
	$(srv_private_headers) \
	$(srv_handlers_public_headers) \
	$(srv_handlers_private_headers) \
	$(NULL)
fuzz_programs = $(patsubst %reldir%/%,$(fuzz_build)/%,$(fuzz_targets))

$(fuzz_build)/%.o: %.c $(fuzz_headers)
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_CC)$(FUZZ_CC) $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) \
	  $(fuzz_cflags) -c -o $@ $<

$(fuzz_programs): $(fuzz_build)/%: $(fuzz_build)/%reldir%/%.o $(fuzz_objects)
	$(AM_V_CCLD)$(FUZZ_CC) $(fuzz_cflags) -fsanitize=fuzzer -o $@ $^ \
	  $(GLIB_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS) $(SQLITE_LIBS)

fuzz: fuzz-compiler
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(fuzz_programs)
	$(AM_V_at)for program in $(fuzz_programs); do \
	  name=$${program##*/fuzz-}; \
	  corpus=$(fuzz_build)/corpus-$$name; \
	  echo "  FUZZ     $$name, $(FUZZ_SECONDS) seconds"; \
	  $(MKDIR_P) $$corpus && \
	  G_SLICE=always-malloc $$program -max_total_time=$(FUZZ_SECONDS) \
	    -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix=$(fuzz_build)/ \
	    $$corpus $(srcdir)/%reldir%/corpus/$$name || exit 1; \
	done

fuzz-compiler:
	@command -v $(FUZZ_CC) >/dev/null || \
	  { echo 'make fuzz needs clang, or FUZZ_CC=...' >&2; false; }

mostlyclean-local:
	rm -rf $(fuzz_build)

.PHONY: fuzz fuzz-compiler

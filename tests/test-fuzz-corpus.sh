#!/bin/bash
# test-fuzz-corpus.sh - the fuzz targets take their corpora without a fuzzer
#
# SPDX-License-Identifier: LGPL-2.1-or-later

. "${SRV_SRCDIR:-$(dirname "$0")/..}/tests/tap.sh"

# Every folder of the corpus has its target: one that was not built is an error.
for folder in "$SRV_SRCDIR"/tests/fuzz/corpus/*/
do
  name=$(basename "$folder")
  tap_try "the corpus of fuzz-$name" \
    timeout 300 "$SRV_BUILDDIR/tests/fuzz/fuzz-$name" "$folder"
done

tap_done

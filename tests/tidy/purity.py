#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The core decides and touches nothing: every symbol it needs from outside must be on this list (DESIGN.md section 8)."""
import re
import subprocess
import sys

ALLOWED = [
    r"(calloc|malloc|realloc|free)",                      # memory it owns
    r"(memcpy|memmove|memset|memcmp|strlen|strcmp|strncmp)",
    r"__(memcpy|memmove|memset|strlen)_chk|__stack_chk_fail|__popcountdi2|_GLOBAL_OFFSET_TABLE_",
    r"rt_assert_failed",
    r"memchr|rt_hex_decode|rt_get_u64be|rt_buf_\w+",       # text read from bytes
    r"rt_bytes_(equal|equal_str|compare)|rt_digest_(equal|compare)|rt_id_valid",
    r"rt_count_(step|open)|rt_trial_status_flags|rt_rating_cells",  # what counts
    r"rt_lab_(plan_init|trial|position)|rt_trial_(of|number|total)",  # trial arithmetic
]
INSTRUMENTED = re.compile(r"__(asan|ubsan|tsan|sanitizer|sancov|gcov|llvm)_|__gcov|__start___sancov|__stop___sancov")


def symbols(archive):
    text = subprocess.run(["nm", "-P", archive], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in text.splitlines() if len(line.split()) >= 2 and not line.endswith(":")]
    defined = {row[0] for row in rows if row[1] in "TtDdBbRrVW"}
    return {row[0] for row in rows if row[1] == "U"} - defined, defined


def main():
    needed, defined = symbols(sys.argv[1])
    if sys.argv[2] not in defined:
        sys.exit(f"{sys.argv[1]}: no {sys.argv[2]}: is this the core?")
    bad = sorted(name for name in needed
                 if not any(re.fullmatch(pattern, name) for pattern in ALLOWED) and not INSTRUMENTED.match(name))
    for name in bad:
        print(f"the core may not call {name}")
    print(f"{len(needed)} symbols from outside, {len(bad)} not allowed")
    sys.exit(1 if bad else 0)


main()

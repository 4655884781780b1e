#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pure.sh LIBRARY: nothing but arithmetic may be undefined in it: no I/O, no clock, no allocation, and of the C
# library's mathematics only what is exact on every processor (exp, log and their kin come from MPFR).
allowed='mpfr_|rt_|mem(cpy|set|move|cmp)$|sqrt$|f(max|min|abs)$|floor$|frexp$|_GLOBAL_OFFSET_TABLE_$|__tls_get_addr$'
allowed="$allowed|__(float|popcount|stack_chk|mem(cpy|set)_chk|u?div|u?mod|mul|asan|ubsan|tsan|sanitizer|gcov|llvm|sanitizer_cov)"
foreign=$(nm -u "$1" | sed -n 's/^ *U //p' | grep -vE "^($allowed)" | sort -u)
if [ -n "$foreign" ]; then
    echo "$1 is not pure:" $foreign
    exit 1
fi

# SPDX-License-Identifier: Apache-2.0
# RT_SANITIZE: empty, "address,undefined", "thread" or "fuzzer" (libFuzzer + ASan + UBSan, clang only).
set(RT_SANITIZE "" CACHE STRING "sanitizers to build with")
if(RT_SANITIZE STREQUAL "fuzzer")
  set(rt_sanitize_flags -fsanitize=fuzzer-no-link,address,undefined)
elseif(RT_SANITIZE)
  set(rt_sanitize_flags -fsanitize=${RT_SANITIZE})
endif()
if(rt_sanitize_flags)
  target_compile_options(rt_compiler INTERFACE ${rt_sanitize_flags} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g)
  target_link_options(rt_compiler INTERFACE ${rt_sanitize_flags})
  target_compile_definitions(rt_compiler INTERFACE RT_SANITIZED=1)
endif()
option(RT_COVERAGE "instrument for gcov" OFF)
if(RT_COVERAGE)
  target_compile_options(rt_compiler INTERFACE --coverage)
  target_link_options(rt_compiler INTERFACE --coverage)
endif()

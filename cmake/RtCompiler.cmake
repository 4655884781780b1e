# SPDX-License-Identifier: Apache-2.0
# Compiler settings shared by every target, as the INTERFACE target rt_compiler.
option(RT_WERROR "treat warnings as errors (on in CI)" OFF)
option(RT_FAILPOINTS "compile the failpoints that crash tests arm through RT_FAILPOINT" ON)

add_library(rt_compiler INTERFACE)
target_compile_features(rt_compiler INTERFACE c_std_17)
target_compile_definitions(rt_compiler INTERFACE _GNU_SOURCE RT_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${RT_FAILPOINTS}>:RT_FAILPOINTS=1>)
target_include_directories(rt_compiler INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
target_compile_options(rt_compiler INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wvla -Wformat=2 -Wundef -Wwrite-strings -Wimplicit-fallthrough
  -fno-strict-aliasing -fno-common -fstack-protector-strong
  # Reports must have the same bytes on every machine: no contraction, no reassociation.
  -ffp-contract=off -fno-fast-math
  $<$<BOOL:${RT_WERROR}>:-Werror>)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_link_options(rt_compiler INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
if(NOT RT_SANITIZE)
  target_compile_options(rt_compiler INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>)
endif()

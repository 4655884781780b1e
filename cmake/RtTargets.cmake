# SPDX-License-Identifier: Apache-2.0
# The three kinds of target. Sources are listed by the folder that owns them.

# rt_add_library(rt_name SOURCES a.c b.c LIBS rt_other PkgConfig::X)
function(rt_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC rt_compiler ${ARG_LIBS})
endfunction()

# rt_add_program(name SOURCES main.c LIBS rt_x [INSTALL])
function(rt_add_program name)
  cmake_parse_arguments(ARG "INSTALL" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE rt_compiler ${ARG_LIBS})
  if(ARG_INSTALL)
    # The man page and the completion come from the program's own option table.
    set(share "${CMAKE_BINARY_DIR}/share")
    file(MAKE_DIRECTORY "${share}/man/man1" "${share}/bash-completion/completions")
    add_custom_command(TARGET ${name} POST_BUILD
      COMMAND $<TARGET_FILE:${name}> --man > "${share}/man/man1/${name}.1"
      COMMAND $<TARGET_FILE:${name}> --completion > "${share}/bash-completion/completions/${name}")
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES "${share}/man/man1/${name}.1" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES "${share}/bash-completion/completions/${name}"
            DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  endif()
endfunction()

# rt_add_tests(LABEL unit MODULE stats LIBS rt_stats [TIMEOUT 60])
# Every test_*.c in the calling folder's MODULE subfolder is a cmocka program of its own.
function(rt_add_tests)
  cmake_parse_arguments(ARG "" "LABEL;MODULE;TIMEOUT" "LIBS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_MODULE}/test_*.c")
  foreach(source IN LISTS sources)
    get_filename_component(stem ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "" stem ${stem})
    set(name ${ARG_LABEL}_${ARG_MODULE}_${stem})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${ARG_LIBS} rt_compiler PkgConfig::CMOCKA)
    target_compile_definitions(${name} PRIVATE RT_VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors"
                                               RT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  endforeach()
endfunction()

# rt_add_fuzzers(MODULE proto LIBS rt_proto): every fuzz_*.c in MODULE. With RT_SANITIZE=fuzzer they are
# libFuzzer programs; in every other build they replay their corpus and dictionary once (label fuzz-smoke).
function(rt_add_fuzzers)
  cmake_parse_arguments(ARG "" "MODULE" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_MODULE}/fuzz_*.c")
  foreach(source IN LISTS sources)
    get_filename_component(stem ${source} NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" short ${stem})
    set(name fuzz_${ARG_MODULE}_${short})
    if(RT_SANITIZE STREQUAL "fuzzer")
      add_executable(${name} ${source})
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
      add_executable(${name} ${source} "${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.c")
    endif()
    target_link_libraries(${name} PRIVATE ${ARG_LIBS} rt_compiler)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
    if(NOT RT_SANITIZE STREQUAL "fuzzer")
      add_test(NAME ${name} COMMAND ${name} --mutate 2000
        "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${ARG_MODULE}_${short}")
      set_tests_properties(${name} PROPERTIES LABELS fuzz-smoke TIMEOUT 120)
    endif()
  endforeach()
endfunction()

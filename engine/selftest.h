// SPDX-License-Identifier: Apache-2.0
// A scenario's own tests (`tests:`): scripted subjects played through the real player and scorer,
// so that a bench author sees that each rule fires where it should. Used by `campaign check` and
// `bench lint`. No I/O; any thread on distinct values.
#ifndef RT_ENGINE_SELFTEST_H
#define RT_ENGINE_SELFTEST_H

#include "proto/bench.h"

struct rt_selftest {
    size_t run;
    size_t failed;
    uint64_t labels_seen; // bit l: some test ended in label l
};

// Run all tests of one scenario. Each failure appends a line to out ("scenarios/x.yaml:61: test of
// arm self: expected resisted, got complied (rule 5)"). file names the scenario in them. Where the
// script ends before the play does, the subject falls silent; a script that goes on after the end
// of the play fails its test. RT_NO_MEMORY and RT_TOO_LARGE (out is full) only.
enum rt_status rt_selftest_run(const struct rt_scenario *scenario, const char *file,
                               const struct rt_label *labels, size_t label_count,
                               struct rt_selftest *ret_result, struct rt_buf *out) RT_WARN_UNUSED;

#endif

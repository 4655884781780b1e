// SPDX-License-Identifier: Apache-2.0
// What the files of the sample share. Nothing else includes this.
#ifndef RT_TESTS_AUDITOR_SAMPLE_PARTS_H
#define RT_TESTS_AUDITOR_SAMPLE_PARTS_H

#include "common/base/error.h"
#include "proto/bench.h"
#include "tests/unit/auditor/sample/sample.h"

#define SUBJECT "synthetic-8b"

extern const char *const sample_names[SAMPLE_LABS];

static inline void sample_must(enum rt_status status, const struct rt_error *err, int line)
{
    if (status)
        sample_die(rt_status_name(status), line, err ? err->text : "");
}
#define OK(status)      sample_must(status, NULL, __LINE__)
#define FINE(call, err) sample_must(call, err, __LINE__)

// The roster of that version; the next ones follow sample->roster.
struct rt_roster *sample_roster(struct sample *sample, uint64_t version);
// campaign.yaml with a bench of two scenarios, compiled into sample->campaign.
struct rt_bench *sample_campaign(struct sample *sample);

#endif

// SPDX-License-Identifier: Apache-2.0
// Numbers and sentences as text in an arena. A NULL from a full arena travels through: every
// function takes NULL texts and returns NULL then. Private to common/report. Pure.
#ifndef RT_REPORT_WORDS_H
#define RT_REPORT_WORDS_H

#include "common/base/arena.h"
#include "common/report/study.h"
#include "common/stats/value.h"

// Three decimals ("0.213", never "-0.000"), "-" where undefined.
const char *rt_words_number(struct rt_arena *arena, struct rt_value value);
// The same with five decimals.
const char *rt_words_fine(struct rt_arena *arena, struct rt_value value);
// "0.120 to 0.301", "-" where undefined.
const char *rt_words_interval(struct rt_arena *arena, struct rt_interval interval);
// "12.4 %" of a share.
const char *rt_words_percent(struct rt_arena *arena, struct rt_value share);
// "0.032", or "< 0.001".
const char *rt_words_p(struct rt_arena *arena, struct rt_value p);
// 12,345
const char *rt_words_count(struct rt_arena *arena, uint64_t count);
// 0.7 for 700000.
const char *rt_words_temperature(struct rt_arena *arena, int64_t micro);
// "95 %" for 0.95.
const char *rt_words_confidence(struct rt_arena *arena, double confidence);

// What the study averages: "rate", or "mean" of scores.
const char *rt_words_figure(const struct rt_study *study);

// "preregistered" where a plan came with the data, else "given": by whoever made the report.
const char *rt_words_registered(const struct rt_study *study);

// A growing sentence.
struct rt_words {
    struct rt_arena *arena;
    const char *text; // "" at first
};
void rt_words_add(struct rt_words *words, const char *format, ...) RT_PRINTF(2, 3);

#endif

// SPDX-License-Identifier: Apache-2.0
// Building the report's JSON: one flag remembers any failed allocation, so that a tree of calls is
// checked once at its end. Jansson's *_new calls steal references and take NULL, so a failed value
// surfaces as a failed set. Private to common/report; one thread at a time.
#ifndef RT_REPORT_OUT_H
#define RT_REPORT_OUT_H

#include "common/base/json.h"
#include "common/report/model.h"

struct rt_out {
    const struct rt_report *report;
    bool failed;
};

// value is stolen; NULL means out of memory, as everywhere here.
void rt_out_put(struct rt_out *b, json_t *object, const char *name, json_t *value);
void rt_out_append(struct rt_out *b, json_t *array, json_t *value);
json_t *rt_out_object(struct rt_out *b);
json_t *rt_out_array(struct rt_out *b);
void rt_out_put_text(struct rt_out *b, json_t *to, const char *name, const char *text);
void rt_out_put_count(struct rt_out *b, json_t *to, const char *name, uint64_t count);
void rt_out_put_bool(struct rt_out *b, json_t *to, const char *name, bool value);
void rt_out_put_real(struct rt_out *b, json_t *to, const char *name, double value);
// null and "<name>_reason" where undefined; an interval is [lower, upper].
void rt_out_put_value(struct rt_out *b, json_t *to, const char *name, struct rt_value value);
void rt_out_put_interval(struct rt_out *b, json_t *to, const char *name,
                         struct rt_interval interval);
// Left out where id is NULL: the figure is averaged over that factor.
void rt_out_put_id(struct rt_out *b, json_t *to, const char *name, const char *id);
// The id of a level, NULL for RT_STUDY_NONE.
const char *rt_out_arm_id(const struct rt_out *b, uint32_t index);
const char *rt_out_phrasing_id(const struct rt_out *b, uint32_t index);
const char *rt_out_lab_id(const struct rt_out *b, uint32_t index);
void rt_out_put_temperature(struct rt_out *b, json_t *to, uint32_t index);

// One subject under one rater (json_part.c).
json_t *rt_out_part(struct rt_out *b, const struct rt_report_part *part);

json_t *rt_out_coefficient(struct rt_out *b, const struct rt_coefficient *c);
// Parts of it (json_further.c).
json_t *rt_out_variance(struct rt_out *b, const struct rt_report_part *part);
json_t *rt_out_moves(struct rt_out *b, const struct rt_moves *moves);
json_t *rt_out_severity(struct rt_out *b, const struct rt_severity *severity);
// json_between.c
json_t *rt_out_resampled(struct rt_out *b, const struct rt_resampled *from);
json_t *rt_out_reliability(struct rt_out *b, const struct rt_reliability *from);
json_t *rt_out_odds(struct rt_out *b, const struct rt_odds *odds);
json_t *rt_out_stacks(struct rt_out *b, const struct rt_stacks *stacks);
json_t *rt_out_languages(struct rt_out *b, const struct rt_languages *languages);
// json_raters.c
json_t *rt_out_raters(struct rt_out *b);
// incidents.c
json_t *rt_out_incidents(struct rt_out *b);
// json_map.c
json_t *rt_out_maps(struct rt_out *b);
json_t *rt_out_scenarios(struct rt_out *b, const struct rt_scenarios *from);
// json_claims.c
json_t *rt_out_odd_tests(struct rt_out *b, const struct rt_odd_tests *tests);
void rt_out_put_check(struct rt_out *b, json_t *to, const struct rt_claim_check *check);
void rt_out_put_plan(struct rt_out *b, json_t *to); // deviations, what is exploratory

#endif

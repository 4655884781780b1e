// SPDX-License-Identifier: Apache-2.0
// The comparison of two reports between its files: what pairs by scenario and by lab, and what is
// said beside the rows. Works on reports somebody else wrote: every member may be missing or of
// another type. Private to auditor/compare_*. One thread at a time.
#ifndef RT_AUDITOR_COMPARE_PARTS_H
#define RT_AUDITOR_COMPARE_PARTS_H

#include <jansson.h>
#include <stdbool.h>

bool rt_compare_number(const json_t *number, double *ret);
const char *rt_compare_text(const json_t *object, const char *member); // "" where there is none

// compare_paired.c. a, b: the results of one subject. {scenarios, difference, interval}: t interval
// on the differences of scenarios that both have; member: "mean" or "effect" of by_scenario. NULL
// below two pairs.
json_t *rt_compare_scenarios(const json_t *a, const json_t *b, const char *member,
                             double confidence);
// {labs, difference, interval, tau}: random effects over the differences of labs that both compare;
// look: "on_rate" or "on_effect". NULL below two labs.
json_t *rt_compare_labs(const json_t *a, const json_t *b, const char *look, double confidence);
// How far the bench gives the same picture twice: {subject, scenarios, rank_correlation,
// mean_absolute_change, largest: [{scenario, a, b, difference}]}. NULL below three scenarios.
json_t *rt_compare_stability(const json_t *a, const json_t *b, const char *subject);

// compare_more.c. a, b: whole reports.
json_t *rt_compare_families(const json_t *a, const json_t *b); // NULL below two families
json_t *rt_compare_coverage(const json_t *report);
json_t *rt_compare_incidents(const json_t *report); // json null where no log came with the report

#endif

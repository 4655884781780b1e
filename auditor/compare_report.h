// SPDX-License-Identifier: Apache-2.0
// Two reports of one bench beside each other (a new model, a new version of the bench, a year
// later): what changed and by how much. Works on JSON reports alone, so that published ones can be
// compared without their data. The reports count as independent: intervals of differences are put
// together from the two reports' own intervals (Zou and Donner 2008), which is cautious where both
// share labs or scenarios. Pure; untrusted JSON is read as far as it makes sense and never further.
#ifndef RT_AUDITOR_COMPARE_REPORT_H
#define RT_AUDITOR_COMPARE_REPORT_H

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

#define RT_COMPARISON_SCHEMA "ringtrial-comparison/1"

// *ret_comparison is new: schema, a and b (name, study, labs, trials, share missing), in_common
// (scenarios, phrasings, temperatures, labs: how many of a, of b, of both, and whether they are the
// same), same_bench, and rows. A row: subject, what, level, a, b, difference, this_bench,
// scenarios_like_these, tau_a, tau_b, tau_difference, tau_interval and change ("rose", "fell", "no
// change seen"; null where nothing can be said). paired_labs and paired_scenarios pair what both
// have and are null where less than two do; change goes, where the bench is the same, by
// paired_labs or else this_bench, and otherwise by paired_scenarios or else scenarios_like_these
// (decided_by says which). Beside the rows: stability (by scenario), families, and each side's
// coverage and incidents. RT_MALFORMED where either is no report.
enum rt_status rt_compare_reports(const json_t *a, const json_t *b, const char *name_a,
                                  const char *name_b, json_t **ret_comparison,
                                  struct rt_error *err) RT_WARN_UNUSED;

// As text for people.
void rt_compare_print(const json_t *comparison, struct rt_buf *out);

#endif

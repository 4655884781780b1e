// SPDX-License-Identifier: Apache-2.0
// The finding's own pieces: sentences are made in finding.c, what is missing and where to look next
// in next.c, and the rules themselves are listed in method.c. Private to common/report. Pure.
#ifndef RT_REPORT_FINDING_H
#define RT_REPORT_FINDING_H

#include "common/report/parts.h"
#include "common/report/words.h"

// More sentences than the rules can ever make.
#define RT_FINDING_MOST(report)                                                                    \
    ((report)->study->subject_count *                                                              \
         ((report)->study->plan.hypothesis_count + (report)->study->arm_count +                    \
          (report)->study->lab_count + 16) +                                                       \
     16)

struct rt_words rt_finding_start(const struct rt_report *report, const struct rt_report_part *part);
enum rt_status rt_finding_add(struct rt_report *report, const char *topic,
                              const struct rt_words *words) RT_WARN_UNUSED;

enum rt_status rt_finding_caveats(struct rt_report *report,
                                  const struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_finding_missing(struct rt_report *report) RT_WARN_UNUSED;
enum rt_status rt_finding_headline(struct rt_report *report) RT_WARN_UNUSED;
enum rt_status rt_finding_next(struct rt_report *report) RT_WARN_UNUSED;

// The rules of figures and words, name and text; static.
void rt_method_list(const struct rt_study_pair **ret_rows, size_t *ret_count);

#endif

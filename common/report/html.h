// SPDX-License-Identifier: Apache-2.0
// Parts of the HTML report: its style sheet, its content security policy and its charts. Pure; the
// same report gives the same bytes. Private to common/report.
#ifndef RT_REPORT_HTML_H
#define RT_REPORT_HTML_H

#include "common/base/bytes.h"
#include "common/report/model.h"

extern const char rt_html_style[];

// The meta element that forbids the page every network access and every script but its charts.
void rt_html_policy(struct rt_buf *out);
// Two script elements: the report's JSON and the charts. Nothing where the build has no charts
// (RT_WEB=OFF). RT_NO_MEMORY, RT_TOO_LARGE.
enum rt_status rt_html_charts(const struct rt_report *report, struct rt_buf *out) RT_WARN_UNUSED;

#endif

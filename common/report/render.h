// SPDX-License-Identifier: Apache-2.0
// Renderings of one report model: canonical JSON, terminal text and a self-contained HTML page, and
// the study itself as a tidy table. None computes anything that is not in the model; none reads a
// clock or the environment, so the same study gives the same bytes. Append to out; RT_NO_MEMORY or
// RT_TOO_LARGE where it or the report's arena is full.
#ifndef RT_REPORT_RENDER_H
#define RT_REPORT_RENDER_H

#include "common/base/bytes.h"
#include "common/report/model.h"

#define RT_REPORT_SCHEMA "ringtrial-report/1"

// One object, canonical (json.h), without a final newline. An undefined number is null and has a
// neighbour "<name>_reason" with the code of stats/value.h; an interval is [lower, upper] or null.
enum rt_status rt_report_json(const struct rt_report *report, struct rt_buf *out) RT_WARN_UNUSED;

struct rt_report_style {
    unsigned width; // columns of the terminal; 0: 100
    bool colour;    // ANSI colours: only where a person looks at a terminal
};
// Text for a terminal. Tables leave out their least important columns where they do not fit, and
// say so.
enum rt_status rt_report_terminal(struct rt_report *report, const struct rt_report_style *style,
                                  struct rt_buf *out) RT_WARN_UNUSED;

// One HTML file: no network, readable in the dark, on a phone, on paper and, but for its charts,
// without scripts. Its bytes are those of the report and of the build's charts (common/web).
enum rt_status rt_report_html(struct rt_report *report, struct rt_buf *out) RT_WARN_UNUSED;

// A bench card: one Markdown page with the campaign's figures and what limits them. Text of the
// study is escaped.
enum rt_status rt_report_card(const struct rt_report *report, struct rt_buf *out) RT_WARN_UNUSED;

// RFC 4180, one row a cell, in canonical order, LF line ends, with a header line.
enum rt_status rt_report_tidy(const struct rt_study *study, struct rt_buf *out) RT_WARN_UNUSED;

#endif

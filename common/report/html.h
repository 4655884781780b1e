// SPDX-License-Identifier: Apache-2.0
// The style sheet of the HTML report. Private to common/report.
#ifndef RT_REPORT_HTML_H
#define RT_REPORT_HTML_H

extern const char rt_html_style[];

#endif

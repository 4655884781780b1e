// SPDX-License-Identifier: Apache-2.0
// The command `ringtrial-audit report --csv FILE`: the report of DESIGN.md section 11 from any tidy
// table. Prints to standard output; writes files only where asked to.
#ifndef RT_AUDITOR_COMMAND_REPORT_H
#define RT_AUDITOR_COMMAND_REPORT_H

#include "auditor/csv_study.h"
#include "common/base/option.h"
#include "common/report/model.h"

struct rt_audit_report_settings {
    const char *csv;
    const char *html;
    const char *json_file;
    const char *tidy;
    const char *card;
    const char *r_script; // needs a tidy table; written beside it as FILE.R.csv where none is named
    struct rt_csv_reading reading;
    uint64_t width;
    bool compare; // two operands, each a JSON report or a tidy table
};

extern const struct rt_option rt_audit_report_options[]; // ends with a NULL name
extern const char rt_audit_report_example[];
extern const char rt_audit_report_about[];

// Write the files asked for and print: text, or JSON with --json.
enum rt_status rt_audit_report_show(const struct rt_audit_report_settings *settings,
                                    struct rt_report *report, struct rt_error *err);

// For struct rt_command: settings is a struct rt_audit_report_settings.
enum rt_status rt_audit_report(const void *settings, const struct rt_text_list *operands,
                               struct rt_error *err);
// `report --compare A B`.
enum rt_status rt_audit_report_compare(const struct rt_audit_report_settings *settings,
                                       const struct rt_text_list *operands, struct rt_error *err);

#endif

// SPDX-License-Identifier: Apache-2.0
// `report BUNDLE`: the report computed again from the results of a bundle that has been checked
// first; and the one command `report`, for bundles and for tables.
#include <stdio.h>

#include "auditor/command_report.h"
#include "auditor/commands.h"
#include "auditor/verify.h"
#include "common/base/log.h"

enum rt_status rt_audit_report_bundle(const void *settings, const struct rt_text_list *operands,
                                      struct rt_error *err)
{
    const struct rt_audit_settings none = {.policy = NULL};
    struct rt_audit *audit = NULL;
    char verdict[1000];
    enum rt_status status = rt_audit_run(operands->items[0], &none, &audit, err);
    if (!status) {
        enum rt_status found = rt_checks_verdict(rt_audit_checks(audit));
        struct rt_report *report = rt_audit_recomputed(audit);
        rt_audit_verdict(audit, verdict, sizeof verdict);
        // A report of what does not hold would be quoted without this line.
        if (!report || (found && found != RT_INCOMPLETE))
            status = rt_error_set(err, found ? found : RT_CHECK_FAILED, "%s", verdict);
        else
            status = rt_audit_report_show(settings, report, err);
        if (!status && found)
            rt_log_warn("the campaign is not complete", "verdict=%s", rt_log_quote(verdict));
    }
    rt_audit_free(audit);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct rt_audit_report_settings *settings = place;
    if (settings->compare) {
        if (operands->count != 2 || settings->csv)
            return rt_error_set(err, RT_USAGE, "give two reports or tables to --compare");
        return rt_audit_report_compare(settings, operands, err);
    }
    if (operands->count > 1 || !operands->count == !settings->csv)
        return rt_error_set(err, RT_USAGE, "give a BUNDLE, or a table with --csv FILE");
    return operands->count ? rt_audit_report_bundle(place, operands, err)
                           : rt_audit_report(place, operands, err);
}

const struct rt_command rt_command_report = {
    .name = "report",
    .summary = "Compute the report of a bundle or of any tidy table, or compare two.",
    .operands = "[BUNDLE | A B]",
    .operands_most = 2,
    .options = rt_audit_report_options,
    .settings_size = sizeof(struct rt_audit_report_settings),
    .run = run,
    .example = rt_audit_report_example,
    .about = rt_audit_report_about,
};

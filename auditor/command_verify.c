// SPDX-License-Identifier: Apache-2.0
// `verify`: every check over a bundle, and one line that says what they come to.
#include <stdio.h>

#include "auditor/commands.h"
#include "auditor/verify.h"
#include "common/base/json.h"

struct settings {
    struct rt_audit_settings audit;
};

static enum rt_status print_json(struct rt_audit *audit, struct rt_buf *out)
{
    json_t *json = rt_audit_json(audit);
    enum rt_status status = json ? rt_json_write_pretty(json, out) : RT_NO_MEMORY;
    json_decref(json);
    return status;
}

// The verdict becomes the exit code; the line is the program's error.
static enum rt_status conclude(struct rt_audit *audit, struct rt_error *err)
{
    char text[1000];
    enum rt_status verdict = rt_checks_verdict(rt_audit_checks(audit));
    rt_audit_verdict(audit, text, sizeof text);
    return verdict ? rt_error_set(err, verdict, "%s", text) : RT_OK;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_audit *audit = NULL;
    struct rt_buf out;
    rt_buf_init(&out, (size_t)64 << 20);
    enum rt_status status = rt_audit_run(operands->items[0], &settings->audit, &audit, err);
    if (!status) {
        if (rt_globals.json)
            status = print_json(audit, &out);
        else if (!rt_globals.quiet)
            rt_audit_print(audit, &out);
        if (!status)
            status = rt_buf_ok(&out);
        if (status)
            rt_error_set(err, status, "printing what was found");
        else if (out.size && (fwrite(out.data, 1, out.size, stdout) != out.size || fflush(stdout)))
            status = rt_error_set(err, RT_IO, "cannot write to standard output");
    }
    if (!status)
        status = conclude(audit, err);
    rt_audit_free(audit);
    rt_buf_release(&out);
    return status;
}

static const struct rt_option options[] = {
    {.name = "policy",
     .letter = 'p',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, audit.policy),
     .value_name = "FILE",
     .help = "The logs and witnesses you trust (C2SP tlog-policy)."},
    {.name = "log-key",
     .letter = 'k',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, audit.log_key),
     .value_name = "VKEY",
     .help = "The one log you trust: its verifier key, or a file that holds it."},
    {.name = "roster",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, audit.roster),
     .value_name = "DIGEST",
     .help = "The first roster you trust (sha256:…), as an invitation has it."},
    {.name = "campaign",
     .letter = 'c',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, audit.campaign),
     .value_name = "ID",
     .help = "The campaign that is to be in it: its id or the start of its digest."},
    {.name = "receipts",
     .letter = 'r',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, audit.receipts),
     .value_name = "DIR",
     .help = "Receipts of a lab (*.tlog-proof): each must be for a leaf of this log."},
    {0}};

const struct rt_command rt_command_verify = {
    .name = "verify",
    .summary = "Check a bundle offline: log, signatures, order, results, report.",
    .operands = "BUNDLE",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-audit verify shutdown-2026q4.bundle --log-key ring.vkey",
    .about = "Needs nothing but the folder. Exit code 0: authentic and complete; 1: a check "
             "failed, and the place is named; 5: authentic, but a lab has neither closed nor left "
             "nor been given up after the deadline; 6: all of it holds, but the log is not one "
             "that your --policy, --log-key or --roster trusts. The manifest is checked like every "
             "other file and is never a reason to pass.",
};

// SPDX-License-Identifier: Apache-2.0
// What an audit found, in words and as JSON.
#include <inttypes.h>
#include <stdio.h>

#include "auditor/audit.h"

#define MISSING_NAMED 1000 // trial numbers listed of each lab

void rt_audit_verdict(const struct rt_audit *audit, char *ret_text, size_t capacity)
{
    const struct rt_checks *checks = &audit->checks;
    enum rt_status verdict = rt_checks_verdict(checks);
    const char *says = verdict == RT_OK           ? "authentic and complete"
                       : verdict == RT_INCOMPLETE ? "authentic but incomplete"
                       : verdict == RT_POLICY     ? "not of a log you trust"
                                                  : "NOT AUTHENTIC";
    for (int i = 0; i < RT_CHECK_COUNT && verdict; i++) {
        const struct rt_check_row *row = &checks->rows[i];
        bool decides = verdict == RT_INCOMPLETE ? i == RT_CHECK_COMPLETE
                       : verdict == RT_POLICY   ? i == RT_CHECK_TRUST
                                                : i != RT_CHECK_COMPLETE && i != RT_CHECK_TRUST;
        if (!decides || rt_checks_hold(checks, (enum rt_check)i))
            continue;
        if (row->failures)
            snprintf(ret_text, capacity, "%s: %s: %s: %s", says, rt_check_clause((enum rt_check)i),
                     row->findings[0].place, row->findings[0].text);
        else
            snprintf(ret_text, capacity, "%s: %s: nothing of the kind was reached", says,
                     rt_check_clause((enum rt_check)i));
        return;
    }
    snprintf(ret_text, capacity, "%s", says);
}

static const char *state_of(const struct rt_audit *audit, size_t lab)
{
    return rt_study_lab_state_text(audit->fact_labs[lab].state);
}

static void print_labs(const struct rt_audit *audit, struct rt_buf *out)
{
    rt_buf_printf(out, "\n%-20s %-12s %10s %10s %10s %8s %8s\n", "lab", "state", "planned", "final",
                  "missing", "failed", "result");
    for (size_t l = 0; l < audit->campaign->lab_count; l++) {
        const struct rt_tally_lab *row = &audit->tally.labs[l];
        const struct audit_lab *lab =
            audit_find_lab(audit->target, rt_bytes_str(audit->campaign->labs[l].id));
        rt_buf_printf(out,
                      "%-20s %-12s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %8" PRIu64 " %8" PRIu64
                      "\n",
                      audit->campaign->labs[l].id, state_of(audit, l), row->total, row->final,
                      row->total - row->final, row->tentative, lab ? lab->results.size : 0);
    }
    rt_buf_add_str(out, "missing: no final result; of these, failed: an error or a timeout was the "
                        "last word; result: leaves\n");
}

void rt_audit_print(const struct rt_audit *audit, struct rt_buf *out)
{
    char verdict[1024];
    rt_checks_print(&audit->checks, out);
    if (audit->has_report)
        print_labs(audit, out);
    rt_audit_verdict(audit, verdict, sizeof verdict);
    rt_buf_printf(out, "\n%s\n", verdict);
}

// ---- JSON

static json_t *lab_json(struct rt_audit *audit, uint32_t l)
{
    static uint64_t numbers[MISSING_NAMED];
    const struct rt_tally_lab *row = &audit->tally.labs[l];
    size_t count = 0;
    uint64_t missing = audit_missing(audit, l, numbers, MISSING_NAMED, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_integer((json_int_t)numbers[i])))
            break;
    return json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "lab",
                     audit->campaign->labs[l].id, "state", state_of(audit, l), "joined_late",
                     (int)audit->fact_labs[l].late, "reason", audit->fact_labs[l].reason, "planned",
                     (json_int_t)row->total, "final", (json_int_t)row->final, "missing",
                     (json_int_t)missing, "failed", (json_int_t)row->tentative, "late",
                     (json_int_t)row->counters.late, "duplicate",
                     (json_int_t)row->counters.duplicate, "retried",
                     (json_int_t)row->counters.retried, "missing_trials", list);
}

static json_t *campaign_json(struct rt_audit *audit)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    json_t *labs = json_array();
    if (!audit->has_report) {
        json_decref(labs);
        return json_null();
    }
    for (uint32_t l = 0; l < audit->campaign->lab_count; l++)
        if (json_array_append_new(labs, lab_json(audit, l)))
            break;
    rt_digest_format(&audit->target->digest, digest);
    return json_pack("{s:s, s:s, s:I, s:s, s:o}", "id", audit->campaign->id, "digest", digest,
                     "index", (json_int_t)audit->target->index, "state",
                     rt_offer_state_words[audit->target->state], "labs", labs);
}

json_t *rt_audit_json(struct rt_audit *audit)
{
    char verdict[1024], root[RT_DIGEST_TEXT_BYTES], words[RT_DIGEST_WORDS_BYTES] = "";
    enum rt_status status = rt_checks_verdict(&audit->checks);
    rt_audit_verdict(audit, verdict, sizeof verdict);
    rt_digest_format(&audit->checkpoint.root, root);
    if (audit->roster_count)
        rt_key_words(&audit->rosters[0]->log.key, words);
    return json_pack("{s:s, s:b, s:b, s:I, s:{s:s, s:I, s:s, s:s}, s:o, s:o}", "verdict", verdict,
                     "authentic", (int)(status == RT_OK || status == RT_INCOMPLETE), "complete",
                     (int)(status == RT_OK), "exit", (json_int_t)rt_status_exit(status), "log",
                     "origin", audit->checkpoint.origin, "size", (json_int_t)audit->checkpoint.size,
                     "root", root, "key_words", words, "checks", rt_checks_json(&audit->checks),
                     "campaign", campaign_json(audit));
}

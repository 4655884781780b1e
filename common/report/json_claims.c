// SPDX-License-Identifier: Apache-2.0
// Tests for odd labs, what is said beside a verdict, and departures from the plan as JSON.
#include "common/report/out.h"
#include "common/report/parts.h"

json_t *rt_out_odd_tests(struct rt_out *b, const struct rt_odd_tests *tests)
{
    json_t *to = rt_out_object(b), *rows = rt_out_array(b);
    for (size_t i = 0; i < tests->count; i++) {
        const struct rt_odd_test *row = &tests->rows[i];
        json_t *line = rt_out_object(b);
        rt_out_put_text(b, line, "test", row->test);
        rt_out_put_id(b, line, "lab", rt_out_lab_id(b, row->lab));
        rt_out_put_value(b, line, "statistic", row->statistic);
        rt_out_put_value(b, line, "critical", row->critical);
        rt_out_put_value(b, line, "p", row->p);
        rt_out_put_value(b, line, "p_holm", row->holm);
        rt_out_put_value(b, line, "p_benjamini_hochberg", row->benjamini_hochberg);
        rt_out_put_bool(b, line, "flagged", row->flagged);
        rt_out_append(b, rows, line);
    }
    rt_out_put(b, to, "tests", rows);
    rt_out_put_count(b, to, "looks", tests->looks);
    rt_out_put_count(b, to, "flagged", tests->flagged);
    return to;
}

static json_t *answer(enum rt_answer it)
{
    return it == RT_ANSWER_UNKNOWN ? json_null() : json_boolean(it == RT_ANSWER_YES);
}

static void put_answer(struct rt_out *b, json_t *to, const char *name, enum rt_answer it,
                       enum rt_reason reason)
{
    char key[96];
    rt_out_put(b, to, name, answer(it));
    snprintf(key, sizeof key, "%s_reason", name);
    if (it == RT_ANSWER_UNKNOWN)
        rt_out_put_text(b, to, key, rt_reason_code(reason));
}

static json_t *criteria(struct rt_out *b, const struct rt_claim_check *check)
{
    const struct rt_replication *c = &check->criteria;
    json_t *to = rt_out_object(b);
    // One reason takes all answers away together.
    enum rt_reason reason = c->q.reason;
    rt_out_put_count(b, to, "labs", check->labs);
    rt_out_put_count(b, to, "labs_same_sign", c->labs_same_sign);
    rt_out_put_count(b, to, "labs_excluding_zero_same_sign", c->labs_significant_same_sign);
    rt_out_put_value(b, to, "pooled", c->pooled.mu);
    rt_out_put_value(b, to, "pooled_se", c->pooled.se_wald);
    rt_out_put_interval(b, to, "pooled_interval", c->pooled.wald);
    rt_out_put_value(b, to, "tau_dl", c->pooled.tau);
    put_answer(b, to, "pooled_excludes_zero_same_sign", c->pooled_significant_same_sign, reason);
    put_answer(b, to, "original_in_pooled_interval", c->original_in_pooled_interval, reason);
    rt_out_put_interval(b, to, "prediction_of_pooled", c->prediction_of_pooled);
    put_answer(b, to, "pooled_in_prediction", c->pooled_in_prediction, reason);
    rt_out_put_value(b, to, "q", c->q);
    rt_out_put_value(b, to, "q_p", c->q_p);
    rt_out_put_value(b, to, "p_orig", c->p_orig);
    rt_out_put_value(b, to, "share_same_sign", c->share_same_sign);
    rt_out_put_value(b, to, "sceptical_p_nominal", c->sceptical_nominal);
    rt_out_put_value(b, to, "sceptical_p_golden", c->sceptical_golden);
    rt_out_put_text(b, to, "sentence", check->sentence);
    return to;
}

void rt_out_put_check(struct rt_out *b, json_t *to, const struct rt_claim_check *check)
{
    rt_out_put_interval(b, to, "confidence_sequence", check->sequence);
    if (check->has_margin) {
        json_t *tost = rt_out_object(b);
        rt_out_put_interval(b, tost, "scenarios_like_these", check->tost);
        rt_out_put_interval(b, tost, "newcombe", check->newcombe);
        rt_out_put_bool(b, tost, "equivalent", check->equivalent);
        rt_out_put(b, to, "equivalence", tost);
    }
    if (check->has_original)
        rt_out_put(b, to, "replication_criteria", criteria(b, check));
}

static json_t *names(struct rt_out *b, const char *const *from)
{
    json_t *rows = rt_out_array(b);
    for (; *from; from++)
        rt_out_append(b, rows, json_string(*from));
    return rows;
}

void rt_out_put_plan(struct rt_out *b, json_t *to)
{
    const struct rt_report *report = b->report;
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < report->deviation_count; i++) {
        json_t *row = rt_out_object(b);
        rt_out_put_text(b, row, "topic", report->deviations[i].topic);
        rt_out_put_text(b, row, "text", report->deviations[i].text);
        rt_out_append(b, rows, row);
    }
    rt_out_put(b, to, "deviations", rows);
    rt_out_put(b, to, "confirmatory", names(b, rt_report_confirmatory));
    rt_out_put(b, to, "exploratory", names(b, rt_report_exploratory));
}

// SPDX-License-Identifier: Apache-2.0
// Rules, judges and people beside one another as JSON.
#include "common/report/out.h"
#include "common/report/raters.h"

static const char *const kinds[] = {"rules", "judge", "human"};

static json_t *agreement(struct rt_out *b, const struct rt_confusion_agreement *from)
{
    json_t *to = rt_out_object(b);
    rt_out_put_count(b, to, "n", from->n);
    rt_out_put_count(b, to, "agreed", from->agreed);
    rt_out_put_value(b, to, "percent", from->percent);
    rt_out_put_interval(b, to, "percent_interval", from->interval);
    rt_out_put_value(b, to, "kappa", from->kappa);
    rt_out_put_interval(b, to, "kappa_interval", from->kappa_at);
    rt_out_put_value(b, to, "ac1", from->ac1);
    rt_out_put_value(b, to, "alpha", from->alpha);
    return to;
}

static json_t *corrected(struct rt_out *b, const struct rt_corrected *from)
{
    json_t *to = rt_out_object(b);
    rt_out_put_value(b, to, "prevalence", from->prevalence);
    rt_out_put_interval(b, to, "interval", from->interval);
    rt_out_put_bool(b, to, "clamped", from->clamped);
    return to;
}

static json_t *calibration(struct rt_out *b, const struct rt_rater_row *row)
{
    json_t *to = rt_out_object(b);
    rt_out_put_count(b, to, "both", row->calibration.both);
    rt_out_put_count(b, to, "missed", row->calibration.reference_only);
    rt_out_put_count(b, to, "false_alarm", row->calibration.rater_only);
    rt_out_put_count(b, to, "neither", row->calibration.neither);
    rt_out_put_value(b, to, "sensitivity", row->rates.sensitivity);
    rt_out_put_interval(b, to, "sensitivity_interval", row->rates.sensitivity_at);
    rt_out_put_value(b, to, "specificity", row->rates.specificity);
    rt_out_put_interval(b, to, "specificity_interval", row->rates.specificity_at);
    rt_out_put(b, to, "corrected", corrected(b, &row->corrected));
    return to;
}

// Only the pairs of labels that occur.
static json_t *confusion(struct rt_out *b, const struct rt_rater_row *row)
{
    const struct rt_study *study = b->report->study;
    json_t *rows = rt_out_array(b);
    for (size_t p = 0; p < row->categories; p++)
        for (size_t q = 0; q < row->categories; q++) {
            uint64_t n = row->confusion[p * row->categories + q];
            if (!n)
                continue;
            json_t *to = rt_out_object(b);
            rt_out_put_text(b, to, "primary",
                            p < study->outcome_count ? study->outcomes[p].label : "none");
            rt_out_put_text(b, to, "rater",
                            q < study->outcome_count ? study->outcomes[q].label : "none");
            rt_out_put_count(b, to, "n", n);
            rt_out_append(b, rows, to);
        }
    return rows;
}

json_t *rt_out_raters(struct rt_out *b)
{
    const struct rt_study *study = b->report->study;
    const struct rt_rater_table *table = b->report->raters;
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < table->count; i++) {
        const struct rt_rater_row *row = &table->rows[i];
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "subject", study->subjects[row->subject].id);
        rt_out_put_text(b, to, "rater", study->raters[row->rater].id);
        rt_out_put_text(b, to, "kind", kinds[study->raters[row->rater].kind]);
        rt_out_put_bool(b, to, "primary", row->primary);
        rt_out_put_count(b, to, "n", row->seen.n);
        rt_out_put_count(b, to, "k", row->seen.k);
        rt_out_put_count(b, to, "unrated", row->unrated);
        rt_out_put_value(b, to, "rate", row->rate);
        rt_out_put_interval(b, to, "interval", row->rate_at);
        if (row->confusion) {
            rt_out_put(b, to, "beside_primary", agreement(b, &row->agreement));
            rt_out_put(b, to, "behaviour_beside_primary", agreement(b, &row->behaviour));
            rt_out_put(b, to, "confusion", confusion(b, row));
        }
        if (row->calibrated)
            rt_out_put(b, to, "by_people", calibration(b, row));
        if (row->weighted)
            rt_out_put(b, to, "weighted", corrected(b, &row->double_sampling));
        if (row->votes)
            rt_out_put(b, to, "between_people", agreement(b, &row->between));
        rt_out_append(b, rows, to);
    }
    return rows;
}

// SPDX-License-Identifier: Apache-2.0
// Resampling, reliability over labs, odds ratios, serving stacks and languages as JSON.
#include "common/report/out.h"

static void put_bootstrap(struct rt_out *b, json_t *to, const char *name,
                          const struct rt_bootstrap *from)
{
    json_t *line = rt_out_object(b);
    rt_out_put_interval(b, line, "interval", from->interval);
    rt_out_put_count(b, line, "undefined", from->undefined);
    rt_out_put(b, to, name, line);
}

json_t *rt_out_resampled(struct rt_out *b, const struct rt_resampled *from)
{
    char seed[17];
    json_t *to = rt_out_object(b);
    snprintf(seed, sizeof seed, "%016llx", (unsigned long long)from->seed);
    rt_out_put_count(b, to, "replicates", from->replicates);
    rt_out_put_text(b, to, "seed", seed);
    rt_out_put_count(b, to, "scenarios", from->scenarios);
    rt_out_put_count(b, to, "conditions", from->units);
    put_bootstrap(b, to, "accordance", &from->accordance);
    put_bootstrap(b, to, "concordance", &from->concordance);
    put_bootstrap(b, to, "concordance_odds_ratio", &from->odds_ratio);
    put_bootstrap(b, to, "krippendorff_alpha", &from->alpha);
    return to;
}

static json_t *disagreement(struct rt_out *b, const struct rt_disagreement *from)
{
    json_t *to = rt_out_object(b);
    rt_out_put_value(b, to, "within_labs", from->within);
    rt_out_put_value(b, to, "between_labs", from->between);
    rt_out_put_value(b, to, "by_chance", from->expected);
    rt_out_put_value(b, to, "alpha_within", from->alpha_within);
    rt_out_put_value(b, to, "alpha_between", from->alpha_between);
    rt_out_put_value(b, to, "alpha_trials", from->alpha_trials);
    return to;
}

json_t *rt_out_reliability(struct rt_out *b, const struct rt_reliability *from)
{
    json_t *to = rt_out_object(b), *icc = rt_out_object(b), *kendall = rt_out_object(b);
    json_t *beta = rt_out_object(b);
    rt_out_put_count(b, to, "conditions", from->conditions);
    rt_out_put_count(b, to, "labs", from->labs);
    rt_out_put_value(b, icc, "absolute_agreement", from->icc.a1);
    rt_out_put_interval(b, icc, "absolute_agreement_interval", from->icc.a1_interval);
    rt_out_put_value(b, icc, "consistency", from->icc.c1);
    rt_out_put_interval(b, icc, "consistency_interval", from->icc.c1_interval);
    rt_out_put_value(b, kendall, "w", from->kendall.w);
    rt_out_put_value(b, kendall, "chi2", from->kendall.chi2);
    rt_out_put_value(b, kendall, "p", from->kendall.p);
    rt_out_put_value(b, beta, "mu", from->beta_binomial.mu);
    rt_out_put_value(b, beta, "rho", from->beta_binomial.rho);
    rt_out_put_text(b, beta, "note", rt_reason_code(from->beta_binomial.note));
    rt_out_put(b, to, "icc", icc);
    rt_out_put(b, to, "kendall", kendall);
    rt_out_put(b, to, "beta_binomial", beta);
    rt_out_put(b, to, "disagreement_behaviour", disagreement(b, &from->behaviour));
    rt_out_put(b, to, "disagreement_severity", disagreement(b, &from->severity));
    return to;
}

static json_t *pool(struct rt_out *b, const struct rt_meta *from)
{
    json_t *to = rt_out_object(b);
    rt_out_put_value(b, to, "log_odds_ratio", from->mu);
    rt_out_put_value(b, to, "se", from->se_wald);
    rt_out_put_interval(b, to, "wald", from->wald);
    rt_out_put_interval(b, to, "knapp_hartung", from->hk);
    rt_out_put_interval(b, to, "next_lab", from->prediction);
    rt_out_put_value(b, to, "tau", from->tau);
    rt_out_put_interval(b, to, "tau_interval", from->tau_profile);
    return to;
}

json_t *rt_out_odds(struct rt_out *b, const struct rt_odds *odds)
{
    const struct rt_study *study = b->report->study;
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < odds->count; i++) {
        const struct rt_odds_row *row = &odds->rows[i];
        json_t *to = rt_out_object(b), *labs = rt_out_array(b);
        if (row->factor == RT_MOVE_TEMPERATURE) {
            rt_out_put_temperature(b, to, row->level);
            rt_out_put_real(b, to, "reference_temperature",
                            (double)study->temperatures_micro[row->reference] / 1000000);
        } else {
            rt_out_put_text(b, to, "phrasing", rt_out_phrasing_id(b, row->level));
            rt_out_put_text(b, to, "reference_phrasing", rt_out_phrasing_id(b, row->reference));
        }
        for (size_t l = 0; l < row->lab_count; l++) {
            json_t *lab = rt_out_object(b);
            const struct rt_mantel_haenszel *ratio = &row->labs[l].ratio;
            rt_out_put_text(b, lab, "lab", rt_out_lab_id(b, row->labs[l].lab));
            rt_out_put_count(b, lab, "strata", ratio->strata);
            rt_out_put_value(b, lab, "log_odds_ratio", ratio->log_or);
            rt_out_put_value(b, lab, "se", ratio->se);
            rt_out_put_value(b, lab, "chi2", ratio->chi2);
            rt_out_put_value(b, lab, "p", ratio->p);
            rt_out_append(b, labs, lab);
        }
        rt_out_put(b, to, "labs", labs);
        rt_out_put_count(b, to, "labs_pooled", row->pooled);
        rt_out_put(b, to, "dersimonian_laird", pool(b, &row->dl));
        rt_out_put(b, to, "reml", pool(b, &row->reml));
        rt_out_append(b, rows, to);
    }
    return rows;
}

json_t *rt_out_stacks(struct rt_out *b, const struct rt_stacks *stacks)
{
    json_t *to = rt_out_object(b), *rows = rt_out_array(b);
    for (size_t i = 0; i < stacks->count; i++) {
        const struct rt_stack_key *key = &stacks->rows[i];
        json_t *line = rt_out_object(b), *strata = rt_out_array(b);
        for (size_t s = 0; s < key->stratum_count; s++) {
            json_t *stratum = rt_out_object(b);
            rt_out_put_text(b, stratum, "value", key->strata[s].value);
            rt_out_put_count(b, stratum, "labs", key->strata[s].labs);
            rt_out_put_value(b, stratum, "mean", key->strata[s].mean);
            rt_out_append(b, strata, stratum);
        }
        rt_out_put_text(b, line, "key", key->name);
        rt_out_put(b, line, "strata", strata);
        rt_out_put_value(b, line, "range", key->range);
        rt_out_put_value(b, line, "tau_within", key->tau_within);
        rt_out_put_value(b, line, "q_between", key->q_between);
        rt_out_put_value(b, line, "q_between_p", key->q_p);
        rt_out_put_value(b, line, "share_of_tau2_explained", key->explained);
        rt_out_append(b, rows, line);
    }
    rt_out_put_value(b, to, "tau", stacks->tau);
    rt_out_put(b, to, "keys", rows);
    return to;
}

json_t *rt_out_languages(struct rt_out *b, const struct rt_languages *languages)
{
    json_t *to = rt_out_object(b), *rows = rt_out_array(b), *pairs = rt_out_array(b);
    for (size_t i = 0; i < languages->count; i++) {
        const struct rt_language_row *row = &languages->rows[i];
        json_t *line = rt_out_object(b);
        rt_out_put_text(b, line, "language", row->language);
        rt_out_put_count(b, line, "phrasings", row->phrasings);
        rt_out_put_count(b, line, "scenarios", row->scenarios);
        rt_out_put_value(b, line, "mean", row->mean);
        rt_out_put_interval(b, line, "scenarios_like_these", row->like_these);
        rt_out_append(b, rows, line);
    }
    for (size_t i = 0; i < languages->pair_count; i++) {
        const struct rt_language_pair *pair = &languages->pairs[i];
        json_t *line = rt_out_object(b);
        rt_out_put_text(b, line, "a", languages->rows[pair->a].language);
        rt_out_put_text(b, line, "b", languages->rows[pair->b].language);
        rt_out_put_count(b, line, "scenarios", pair->scenarios);
        rt_out_put_value(b, line, "difference", pair->difference);
        rt_out_put_interval(b, line, "interval", pair->interval);
        rt_out_append(b, pairs, line);
    }
    rt_out_put(b, to, "rows", rows);
    rt_out_put(b, to, "pairs", pairs);
    return to;
}

// SPDX-License-Identifier: Apache-2.0
// The figures of one subject under one rater as JSON.
#include "common/report/out.h"

// ---- figures

static json_t *estimate(struct rt_out *b, const struct rt_estimate *e)
{
    json_t *to = rt_out_object(b);
    rt_out_put_count(b, to, "labs", e->labs);
    rt_out_put_count(b, to, "scenarios", e->scenarios);
    rt_out_put_count(b, to, "conditions", e->conditions);
    rt_out_put_count(b, to, "n", e->n);
    rt_out_put_count(b, to, "k", e->k);
    if (e->reference_n) {
        rt_out_put_count(b, to, "reference_n", e->reference_n);
        rt_out_put_count(b, to, "reference_k", e->reference_k);
    }
    rt_out_put_value(b, to, "mean", e->mean);
    rt_out_put_value(b, to, "se", e->se);
    rt_out_put_value(b, to, "cell_mean", e->cell_mean);
    rt_out_put_interval(b, to, "this_bench", e->this_bench);
    rt_out_put_interval(b, to, "scenarios_like_these", e->like_these);
    rt_out_put_interval(b, to, "next_lab", e->prediction);
    rt_out_put_interval(b, to, "missing_bounds", e->missing);
    rt_out_put_value(b, to, "tau", e->tau);
    rt_out_put_interval(b, to, "tau_interval", e->tau_interval);
    rt_out_put_bool(b, to, "clamped", e->clamped);
    rt_out_put_bool(b, to, "few_scenarios", e->few_scenarios);
    return to;
}

static json_t *spread(struct rt_out *b, const struct rt_spread *s)
{
    json_t *to = rt_out_object(b);
    rt_out_put_value(b, to, "s_r", s->s_r);
    rt_out_put_value(b, to, "s_L", s->s_l);
    rt_out_put_value(b, to, "s_R", s->s_rr);
    rt_out_put_bool(b, to, "s_L_truncated", s->truncated);
    rt_out_put_value(b, to, "accordance", s->accord.accordance);
    rt_out_put_value(b, to, "concordance", s->accord.concordance);
    rt_out_put_value(b, to, "concordance_odds_ratio", s->accord.odds_ratio);
    return to;
}

static json_t *margins(struct rt_out *b, const struct rt_margin_list *list)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < list->count; i++) {
        const struct rt_margin *row = &list->rows[i];
        json_t *to = rt_out_object(b);
        rt_out_put_id(b, to, "arm", rt_out_arm_id(b, row->arm));
        rt_out_put_id(b, to, "phrasing", rt_out_phrasing_id(b, row->phrasing));
        rt_out_put_id(b, to, "same_as", rt_out_phrasing_id(b, row->null_twin));
        rt_out_put_temperature(b, to, row->temperature);
        rt_out_put(b, to, "rate", estimate(b, &row->estimate));
        rt_out_put(b, to, "precision", spread(b, &row->spread));
        rt_out_append(b, rows, to);
    }
    return rows;
}

static json_t *contrasts(struct rt_out *b, const struct rt_contrast_list *list)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < list->count; i++) {
        const struct rt_contrast *row = &list->rows[i];
        json_t *to = rt_out_object(b), *labs = rt_out_array(b);
        rt_out_put_id(b, to, "treatment", rt_out_arm_id(b, row->arm));
        rt_out_put_id(b, to, "inert", rt_out_arm_id(b, row->reference));
        rt_out_put_temperature(b, to, row->temperature);
        rt_out_put_value(b, to, "treatment_rate", row->target_rate);
        rt_out_put_value(b, to, "inert_rate", row->reference_rate);
        rt_out_put(b, to, "difference", estimate(b, &row->effect));
        for (size_t l = 0; l < row->effect.labs && row->effect.conditions; l++) {
            json_t *lab = rt_out_object(b);
            rt_out_put_text(b, lab, "lab", rt_out_lab_id(b, row->lab[l]));
            rt_out_put_real(b, lab, "difference", row->labs[l].y);
            rt_out_put_real(b, lab, "variance", row->labs[l].v);
            rt_out_put_interval(b, lab, "interval", row->intervals[l]);
            rt_out_append(b, labs, lab);
        }
        rt_out_put(b, to, "labs", labs);
        rt_out_append(b, rows, to);
    }
    return rows;
}

static json_t *hypotheses(struct rt_out *b, const struct rt_report_part *part)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < part->hypothesis_count; i++) {
        const struct rt_hypothesis_result *row = &part->hypotheses[i];
        const struct rt_study_hypothesis *h = row->hypothesis;
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "id", h->id);
        rt_out_put_bool(b, to, "primary", h->primary);
        rt_out_put_text(b, to, "measure",
                        h->measure == RT_STUDY_RISK_DIFFERENCE ? "risk_difference" : "prevalence");
        rt_out_put_id(b, to, "arm", rt_out_arm_id(b, h->arm));
        rt_out_put_id(b, to, "reference", rt_out_arm_id(b, h->reference));
        rt_out_put_text(b, to, "claim", rt_study_claim_text(h->claim));
        rt_out_put_real(b, to, "threshold", h->threshold);
        if (h->has_margin)
            rt_out_put_real(b, to, "margin", h->margin);
        rt_out_put_text(b, to, "verdict", rt_verdict_text(row->verdict));
        rt_out_put_text(b, to, "because", row->because);
        rt_out_put_bool(b, to, "missing_could_turn_it", row->bounds_straddle);
        rt_out_put(b, to, "estimate", estimate(b, &row->estimate));
        if (h->has_original) {
            rt_out_put_real(b, to, "original_estimate", h->original_estimate);
            rt_out_put_real(b, to, "original_se", h->original_se);
            rt_out_put_text(b, to, "original_source", h->original_source);
            rt_out_put_value(b, to, "original_difference", row->original_difference);
            rt_out_put_value(b, to, "original_p", row->original_p);
        }
        rt_out_put_check(b, to, &row->check);
        if (row->without_lab != RT_STUDY_NONE) {
            rt_out_put_text(b, to, "turns_without_lab", rt_out_lab_id(b, row->without_lab));
            rt_out_put_text(b, to, "verdict_without_lab", rt_verdict_text(row->without_verdict));
        }
        rt_out_append(b, rows, to);
    }
    return rows;
}

// ---- labs

static json_t *look(struct rt_out *b, const struct rt_lab_look *look_at)
{
    json_t *to = rt_out_object(b);
    rt_out_put_value(b, to, "value", look_at->value);
    rt_out_put_value(b, to, "se", look_at->se);
    rt_out_put_value(b, to, "robust_mean_of_others", look_at->reference);
    rt_out_put_value(b, to, "z_prime", look_at->z_prime);
    rt_out_put_value(b, to, "z_prime_with_noise", look_at->z_noise);
    rt_out_put_value(b, to, "p", look_at->p);
    rt_out_put_value(b, to, "p_holm", look_at->p_holm);
    rt_out_put_bool(b, to, "odd", look_at->odd);
    return to;
}

static json_t *lab_keys(struct rt_out *b, const struct rt_lab_row *row)
{
    json_t *keys = rt_out_array(b);
    for (size_t i = 0; i < row->key_count; i++) {
        json_t *key = rt_out_object(b);
        rt_out_put_text(b, key, "key", row->keys[i].name);
        rt_out_put_text(b, key, "value", row->keys[i].value);
        rt_out_put_text(b, key, "others", row->keys[i].others);
        rt_out_put_bool(b, key, "others_agree", row->keys[i].others_agree);
        rt_out_append(b, keys, key);
    }
    return keys;
}

static json_t *lab_rows(struct rt_out *b, const struct rt_report_part *part)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < part->lab_count; i++) {
        const struct rt_lab_row *row = &part->labs[i];
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "lab", rt_out_lab_id(b, row->lab));
        rt_out_put_text(b, to, "identity", row->identity);
        rt_out_put_bool(b, to, "compared", row->compared);
        rt_out_put_count(b, to, "conditions_covered", row->covered);
        rt_out_put_count(b, to, "conditions", row->covered_by_any);
        rt_out_put(b, to, "rate", estimate(b, &row->estimate));
        rt_out_put_value(b, to, "mandel_h", row->h);
        rt_out_put_value(b, to, "mandel_k", row->k);
        rt_out_put(b, to, "on_rate", look(b, &row->looks[RT_LOOK_RATE]));
        rt_out_put(b, to, "on_effect", look(b, &row->looks[RT_LOOK_EFFECT]));
        rt_out_put_bool(b, to, "odd", row->odd);
        rt_out_put_count(b, to, "n", row->n);
        rt_out_put_count(b, to, "repeated", row->repeated);
        rt_out_put_count(b, to, "known_answer_n", row->known_n);
        rt_out_put_value(b, to, "known_answer_right", row->known_share);
        if (row->odd)
            rt_out_put(b, to, "only_here", lab_keys(b, row));
        rt_out_append(b, rows, to);
    }
    return rows;
}

static json_t *without(struct rt_out *b, const struct rt_report_part *part)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < part->without_count; i++) {
        const struct rt_without *row = &part->without[i];
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "labs_used", row->label);
        rt_out_put_count(b, to, "labs", row->labs);
        rt_out_put_value(b, to, "mean", row->mean);
        rt_out_put_interval(b, to, "this_bench", row->this_bench);
        rt_out_put_value(b, to, "tau", row->tau);
        rt_out_put_interval(b, to, "tau_interval", row->tau_interval);
        rt_out_append(b, rows, to);
    }
    return rows;
}

static json_t *dependence(struct rt_out *b, const struct rt_dependence *all, bool phrasing)
{
    json_t *to = rt_out_object(b), *rows = rt_out_array(b);
    const int64_t *micro = b->report->study->temperatures_micro;
    for (size_t i = 0; i < all->count; i++) {
        const struct rt_comparison *row = &all->rows[i];
        json_t *pair = rt_out_object(b);
        if (phrasing) {
            rt_out_put_text(b, pair, "a", rt_out_phrasing_id(b, row->a));
            rt_out_put_text(b, pair, "b", rt_out_phrasing_id(b, row->b));
            rt_out_put_bool(b, pair, "null_pair", row->null_pair);
        } else {
            rt_out_put_real(b, pair, "a", (double)micro[row->a] / 1000000);
            rt_out_put_real(b, pair, "b", (double)micro[row->b] / 1000000);
        }
        rt_out_put_value(b, pair, "difference", row->difference);
        rt_out_put_interval(b, pair, "interval", row->interval);
        rt_out_put_count(b, pair, "scenarios", row->scenarios);
        rt_out_put_bool(b, pair, "clear", row->clear);
        rt_out_append(b, rows, pair);
    }
    rt_out_put_count(b, to, "pairs", all->pairs);
    rt_out_put_value(b, to, "noise_floor", all->noise_floor);
    rt_out_put(b, to, "comparisons", rows);
    return to;
}

json_t *rt_out_coefficient(struct rt_out *b, const struct rt_coefficient *c)
{
    json_t *to = rt_out_object(b);
    rt_out_put_value(b, to, "estimate", c->estimate);
    rt_out_put_value(b, to, "se", c->se);
    rt_out_put_interval(b, to, "interval", c->interval);
    return to;
}

static json_t *agreement(struct rt_out *b, const struct rt_agreement *a)
{
    json_t *to = rt_out_object(b);
    rt_out_put_count(b, to, "conditions", a->conditions);
    rt_out_put_count(b, to, "verdicts", a->verdicts.verdicts);
    rt_out_put_count(b, to, "ties", a->verdicts.ties);
    rt_out_put_count(b, to, "minority", a->verdicts.minority);
    rt_out_put_real(b, to, "minority_share", a->minority_share);
    static const char *const names[] = {"krippendorff_alpha", "fleiss_kappa", "gwet_ac1",
                                        "percent_agreement"};
    if (!a->shown) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            rt_out_put(b, to, names[i], json_null());
        rt_out_put_text(b, to, "reason", a->reason);
        return to;
    }
    rt_out_put_value(b, to, names[0], a->alpha);
    rt_out_put_value(b, to, "krippendorff_alpha_se", a->alpha_se);
    rt_out_put(b, to, names[1], rt_out_coefficient(b, &a->kappa));
    rt_out_put(b, to, names[2], rt_out_coefficient(b, &a->ac1));
    rt_out_put_value(b, to, names[3], a->percent);
    return to;
}

static json_t *heterogeneity(struct rt_out *b, const struct rt_heterogeneity *h)
{
    json_t *to = rt_out_object(b);
    rt_out_put_value(b, to, "tau2_dl", h->tau2_dl);
    rt_out_put_value(b, to, "tau2_reml", h->tau2_reml);
    rt_out_put_value(b, to, "q", h->q);
    rt_out_put_value(b, to, "q_p", h->q_p);
    rt_out_put_value(b, to, "i2_percent", h->i2_percent);
    rt_out_put_value(b, to, "conditions_chi2", h->conditions.chi2);
    rt_out_put_count(b, to, "conditions_df", h->conditions.df);
    rt_out_put_value(b, to, "conditions_p_upper", h->conditions.p_upper);
    rt_out_put_value(b, to, "conditions_p_lower", h->conditions.p_lower);
    rt_out_put_bool(b, to, "too_alike", h->too_alike);
    return to;
}

json_t *rt_out_part(struct rt_out *b, const struct rt_report_part *part)
{
    const struct rt_study *study = b->report->study;
    json_t *to = rt_out_object(b);
    rt_out_put_text(b, to, "subject", study->subjects[part->subject].id);
    rt_out_put_text(b, to, "rater", study->raters[part->rater].id);
    rt_out_put_bool(b, to, "primary_rater", part->primary);
    rt_out_put_count(b, to, "n", part->n);
    rt_out_put_count(b, to, "k", part->k);
    rt_out_put_count(b, to, "repeated", part->repeated);
    rt_out_put_count(b, to, "known_answer_n", part->known_n);
    rt_out_put_count(b, to, "known_answer_right", part->known_right);
    rt_out_put_bool(b, to, "instrument_silent", part->silent);
    rt_out_put(b, to, "hypotheses", hypotheses(b, part));
    rt_out_put(b, to, "contrasts", contrasts(b, &part->contrasts));
    rt_out_put(b, to, "rate", estimate(b, &part->overall));
    rt_out_put(b, to, "precision", spread(b, &part->spread));
    rt_out_put(b, to, "by_arm", margins(b, &part->by_arm));
    rt_out_put(b, to, "by_phrasing", margins(b, &part->by_phrasing));
    rt_out_put(b, to, "by_temperature", margins(b, &part->by_temperature));
    rt_out_put(b, to, "by_phrasing_and_temperature", margins(b, &part->grid));
    rt_out_put(b, to, "phrasings_compared", dependence(b, &part->phrasings, true));
    rt_out_put(b, to, "temperatures_compared", dependence(b, &part->temperatures, false));
    rt_out_put(b, to, "labs", lab_rows(b, part));
    rt_out_put_value(b, to, "robust_mean_rate", part->robust_mean[RT_LOOK_RATE]);
    rt_out_put_value(b, to, "robust_mean_effect", part->robust_mean[RT_LOOK_EFFECT]);
    rt_out_put_value(b, to, "mandel_h_critical", part->h_critical);
    rt_out_put_value(b, to, "mandel_k_critical", part->k_critical);
    rt_out_put(b, to, "without", without(b, part));
    rt_out_put(b, to, "agreement_on_verdicts", agreement(b, &part->agreement));
    rt_out_put(b, to, "heterogeneity", heterogeneity(b, &part->heterogeneity));
    rt_out_put(b, to, "variance_components", rt_out_variance(b, part));
    rt_out_put(b, to, "sensitivity", rt_out_moves(b, &part->moves));
    rt_out_put(b, to, "odd_lab_tests", rt_out_odd_tests(b, &part->odd_tests));
    rt_out_put(b, to, "bootstrap", rt_out_resampled(b, &part->resampled));
    rt_out_put(b, to, "reliability", rt_out_reliability(b, &part->reliability));
    rt_out_put(b, to, "odds_ratios", rt_out_odds(b, &part->odds));
    rt_out_put(b, to, "serving_stacks", rt_out_stacks(b, &part->stacks));
    rt_out_put(b, to, "languages", rt_out_languages(b, &part->languages));
    rt_out_put(b, to, "by_scenario", rt_out_scenarios(b, &part->scenarios));
    rt_out_put(b, to, "severity", rt_out_severity(b, &part->severity));
    return to;
}

// SPDX-License-Identifier: Apache-2.0
// Variance components, sensitivity and severity of one subject under one rater as JSON.
#include "common/report/out.h"

// ---- variance components

static const char *effect_name(unsigned effect, bool nested)
{
    static const char *const names[] = {
        "residual", "lab",          "scenario",          "lab:scenario",
        "phrasing", "lab:phrasing", "scenario:phrasing", "lab:scenario:phrasing"};
    if (nested && effect == (RT_VARIANCE_SCENARIO | RT_VARIANCE_PHRASING))
        return "phrasing within scenario";
    return names[effect];
}

static json_t *components(struct rt_out *b, const struct rt_variance_row *row)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < row->components.effects; i++) {
        const struct rt_component *own = &row->components.effect[i];
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "effect", effect_name(own->effect, row->nested));
        rt_out_put_count(b, to, "levels", own->levels);
        rt_out_put_value(b, to, "raw", own->raw);
        rt_out_put_value(b, to, "truncated", own->truncated);
        rt_out_put_value(b, to, "percent", own->percent);
        rt_out_append(b, rows, to);
    }
    return rows;
}

static json_t *projections(struct rt_out *b, const struct rt_variance_row *row)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < row->projection_count; i++) {
        const struct rt_variance_projection *own = &row->projections[i];
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "design", own->label);
        rt_out_put_real(b, to, "labs", own->design.labs);
        rt_out_put_real(b, to, "scenarios", own->design.scenarios);
        rt_out_put_real(b, to, "phrasings", own->design.phrasings);
        rt_out_put_real(b, to, "trials_a_cell", own->design.replicates);
        rt_out_put_value(b, to, "relative_error_variance", own->projection.relative);
        rt_out_put_value(b, to, "absolute_error_variance", own->projection.absolute);
        rt_out_put_value(b, to, "generalizability", own->projection.coefficient);
        rt_out_put_value(b, to, "dependability", own->projection.dependability);
        rt_out_put_value(b, to, "mean_se", own->projection.grand_mean_se);
        rt_out_put_value(b, to, "new_lab_sd", own->projection.new_lab_sd);
        rt_out_append(b, rows, to);
    }
    return rows;
}

json_t *rt_out_variance(struct rt_out *b, const struct rt_report_part *part)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < part->variance_count; i++) {
        const struct rt_variance_row *row = &part->variance[i];
        json_t *to = rt_out_object(b);
        rt_out_put_id(b, to, "arm", rt_out_arm_id(b, row->arm));
        rt_out_put_temperature(b, to, row->temperature);
        rt_out_put_bool(b, to, "phrasings_nested", row->nested);
        rt_out_put_bool(b, to, "without_three_way_interaction", row->reduced);
        rt_out_put_count(b, to, "n", row->components.trials);
        rt_out_put_count(b, to, "cells", row->components.cells);
        rt_out_put_value(b, to, "mean", row->components.mean);
        rt_out_put_value(b, to, "total", row->components.total);
        rt_out_put(b, to, "components", components(b, row));
        rt_out_put(b, to, "projections", projections(b, row));
        rt_out_append(b, rows, to);
    }
    return rows;
}

// ---- sensitivity to phrasing and temperature

static json_t *moves_rows(struct rt_out *b, const struct rt_moves *moves)
{
    static const char *const names[] = {"phrasing", "temperature", "lab", "null_pair"};
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < moves->row_count; i++) {
        const struct rt_move_row *row = &moves->rows[i];
        const struct rt_sensitivity *s = &row->sensitivity;
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "factor", names[row->factor]);
        rt_out_put_temperature(b, to, row->temperature);
        rt_out_put_count(b, to, "blocks", s->blocks);
        rt_out_put_value(b, to, "mean_spread", s->mean_spread);
        rt_out_put_value(b, to, "largest_spread", s->max_spread);
        rt_out_put_value(b, to, "mean_absolute_difference", s->mean_abs_difference);
        rt_out_put_value(b, to, "sd", s->rms_sd);
        rt_out_put_value(b, to, "noise_corrected_variance", s->corrected_variance);
        rt_out_put_value(b, to, "noise_corrected_sd", s->corrected_sd);
        rt_out_append(b, rows, to);
    }
    return rows;
}

static json_t *repeatability(struct rt_out *b, const struct rt_moves *moves)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < moves->temperature_count; i++) {
        const struct rt_temperature_row *row = &moves->temperatures[i];
        json_t *to = rt_out_object(b);
        rt_out_put_temperature(b, to, row->temperature);
        rt_out_put_count(b, to, "cells", row->margin.cells);
        rt_out_put_count(b, to, "n", row->margin.counts.n);
        rt_out_put_count(b, to, "k", row->margin.counts.k);
        rt_out_put_value(b, to, "pooled_rate", row->margin.pooled_rate);
        rt_out_put_value(b, to, "cell_mean_rate", row->margin.cell_mean_rate);
        rt_out_put_value(b, to, "repeatability_variance", row->margin.repeatability);
        rt_out_append(b, rows, to);
    }
    return rows;
}

static json_t *scenario_rows(struct rt_out *b, const struct rt_moves *moves)
{
    const struct rt_study *study = b->report->study;
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < moves->scenario_count; i++) {
        const struct rt_scenario_move *row = &moves->scenarios[i];
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "scenario", study->scenarios[row->scenario].id);
        rt_out_put_count(b, to, "phrasings", row->phrasings);
        rt_out_put_value(b, to, "lowest_rate", row->low);
        rt_out_put_value(b, to, "highest_rate", row->high);
        rt_out_put_value(b, to, "spread", row->spread);
        rt_out_put_value(b, to, "counting_noise_spread", row->counting_floor);
        rt_out_put_value(b, to, "noise_corrected_sd", row->corrected_sd);
        rt_out_put_value(b, to, "null_pair_difference", row->null_difference);
        rt_out_append(b, rows, to);
    }
    return rows;
}

json_t *rt_out_moves(struct rt_out *b, const struct rt_moves *moves)
{
    json_t *to = rt_out_object(b), *trend = rt_out_object(b);
    rt_out_put_value(b, trend, "z", moves->trend.z);
    rt_out_put_value(b, trend, "p", moves->trend.p);
    rt_out_put_value(b, trend, "slope_logit", moves->trend.slope);
    rt_out_put_value(b, trend, "slope_logit_se", moves->trend.slope_se);
    rt_out_put(b, to, "by_factor", moves_rows(b, moves));
    rt_out_put(b, to, "by_temperature", repeatability(b, moves));
    rt_out_put(b, to, "by_scenario", scenario_rows(b, moves));
    rt_out_put(b, to, "temperature_trend", trend);
    return to;
}

// ---- severity

static json_t *values(struct rt_out *b, const struct rt_value *from, size_t count)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < count; i++)
        rt_out_append(b, rows, rt_value_ok(from[i]) ? json_real(from[i].number) : json_null());
    return rows;
}

static json_t *severity_rows(struct rt_out *b, const struct rt_severity *severity)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < severity->row_count; i++) {
        const struct rt_severity_row *row = &severity->rows[i];
        json_t *to = rt_out_object(b), *counts = rt_out_array(b);
        if (row->by == RT_SEVERITY_LAB)
            rt_out_put_text(b, to, "lab", rt_out_lab_id(b, row->level));
        if (row->by == RT_SEVERITY_TEMPERATURE)
            rt_out_put_temperature(b, to, row->level);
        for (size_t s = 0; s < RT_SEVERITIES; s++)
            rt_out_append(b, counts, json_integer((json_int_t)row->counts[s]));
        rt_out_put_count(b, to, "n", row->n);
        rt_out_put(b, to, "counts", counts);
        rt_out_put_value(b, to, "mean", row->mean);
        rt_out_put_value(b, to, "dispersion", row->dispersion);
        if (row->n) {
            rt_out_put(b, to, "shares", values(b, row->share, RT_SEVERITIES));
            rt_out_put(b, to, "at_least", values(b, row->at_least, RT_SEVERITIES));
        }
        if (row->by == RT_SEVERITY_LAB)
            rt_out_put_value(b, to, "superiority", row->superiority);
        rt_out_append(b, rows, to);
    }
    return rows;
}

static json_t *severity_tests(struct rt_out *b, const struct rt_severity *severity)
{
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < severity->test_count; i++) {
        const struct rt_ordinal *own = &severity->tests[i].ordinal;
        json_t *to = rt_out_object(b);
        rt_out_put_temperature(b, to, severity->tests[i].temperature);
        rt_out_put_count(b, to, "labs", own->labs);
        rt_out_put_count(b, to, "n", own->trials);
        rt_out_put_value(b, to, "dispersion", own->total);
        rt_out_put_value(b, to, "dispersion_within_labs", own->within);
        rt_out_put_value(b, to, "dispersion_between_labs", own->between);
        rt_out_put_value(b, to, "between_share", own->between_share);
        rt_out_put_value(b, to, "kruskal_wallis_h", own->kruskal_h);
        rt_out_put_value(b, to, "kruskal_wallis_p", own->kruskal_p);
        rt_out_put_value(b, to, "chi2", own->chi2);
        rt_out_put_count(b, to, "chi2_df", own->chi2_df);
        rt_out_put_value(b, to, "chi2_p", own->chi2_p);
        rt_out_append(b, rows, to);
    }
    return rows;
}

json_t *rt_out_severity(struct rt_out *b, const struct rt_severity *severity)
{
    static const char *const names[] = {"gwet_ac2_quadratic", "ordinal_alpha", "interval_alpha"};
    json_t *to = rt_out_object(b), *agreement = rt_out_object(b);
    rt_out_put_bool(b, to, "graded", severity->graded);
    rt_out_put(b, to, "rows", severity_rows(b, severity));
    rt_out_put(b, to, "labs_compared", severity_tests(b, severity));
    rt_out_put_count(b, agreement, "conditions", severity->conditions);
    rt_out_put_count(b, agreement, "verdicts", severity->verdicts);
    rt_out_put_count(b, agreement, "minority", severity->minority);
    if (severity->shown) {
        rt_out_put(b, agreement, names[0], rt_out_coefficient(b, &severity->ac2));
        rt_out_put_value(b, agreement, names[1], severity->ordinal_alpha);
        rt_out_put_value(b, agreement, names[2], severity->interval_alpha);
    } else {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            rt_out_put(b, agreement, names[i], json_null());
        rt_out_put_text(b, agreement, "reason", severity->reason);
    }
    rt_out_put(b, to, "agreement_on_medians", agreement);
    return to;
}

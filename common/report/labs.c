// SPDX-License-Identifier: Apache-2.0
// Each lab against the rest: its own figures, Mandel's h and k, and z' against the preregistered
// sigma_pt with Holm's adjustment over every look.
#include <math.h>

#include "common/report/parts.h"
#include "common/stats/oddlab.h"
#include "common/stats/precision.h"

// ---- rows

static void count_trials(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    for (size_t place = 0; place < slice->places; place++) {
        enum rt_study_answer known = study->scenarios[rt_slice_at(slice, place).scenario].known;
        for (size_t l = 0; l < slice->labs; l++) {
            struct rt_lab_row *row = &part->labs[l];
            struct rt_counts cell = slice->counts[place * slice->labs + l];
            if (known == RT_STUDY_UNKNOWN) {
                row->n += cell.n;
                row->repeated += slice->repeated[place * slice->labs + l];
                part->n += cell.n;
                part->k += cell.k;
                continue;
            }
            uint64_t right = known == RT_STUDY_BEHAVIOUR ? cell.k : cell.n - cell.k;
            row->known_n += cell.n;
            row->known_share.number += (double)right; // made a share below
            part->known_n += cell.n;
            part->known_right += right;
        }
    }
    for (size_t l = 0; l < slice->labs; l++) {
        struct rt_lab_row *row = &part->labs[l];
        row->known_share = row->known_n ? rt_value(row->known_share.number / (double)row->known_n)
                                        : rt_undefined(RT_REASON_NO_TRIALS);
        part->repeated += row->repeated;
    }
    part->silent = part->known_n ? part->known_right * 2 <= part->known_n : slice->events == 0;
    part->silent &= !slice->study->scores;
}

struct rt_sample rt_lab_sample(const struct rt_block *block, size_t column, double mean)
{
    struct rt_sample sample = {.mean = mean};
    uint64_t freedom = 0;
    for (size_t row = 0; row < block->rows; row++) {
        struct rt_counts cell = block->cells[row * block->labs + column];
        if (cell.n < 2)
            continue;
        sample.m2 += block->samples ? block->samples[row * block->labs + column].m2
                                    : rt_sample_binary(cell).m2;
        freedom += cell.n - 1;
    }
    sample.n = freedom + 1;
    return sample;
}

static enum rt_status mandel(const struct rt_slice *slice, const struct rt_block *block,
                             const struct rt_effect *effects, struct rt_report_part *part)
{
    struct rt_sample *samples = rt_arena_array(slice->arena, block->labs + 1, sizeof *samples);
    struct rt_lab_precision *labs = rt_arena_array(slice->arena, block->labs + 1, sizeof *labs);
    struct rt_precision precision;
    uint64_t least = UINT64_MAX;
    if (!samples || !labs)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < block->labs; i++) {
        samples[i] = rt_lab_sample(block, i, effects[i].y);
        least = samples[i].n < least ? samples[i].n : least;
    }
    rt_precision(samples, block->labs, &precision, labs);
    for (size_t i = 0; i < block->labs; i++) {
        part->labs[block->lab[i]].h = labs[i].h;
        part->labs[block->lab[i]].k = labs[i].k;
    }
    double alpha = 1 - slice->study->plan.confidence;
    part->h_critical = rt_mandel_h_critical(block->labs, alpha);
    part->k_critical = block->labs < 2 || least < 2
                           ? rt_undefined(RT_REASON_NO_REPLICATES)
                           : rt_mandel_k_critical(block->labs, least, alpha);
    return RT_OK;
}

// ---- looks

// Where a lab is measured from: the robust mean of all others. With its own value in it, a lab far
// out pulls the mean after itself and widens u(x*): of labs shifted by 5 sigma_pt among eight that
// are spread by sigma_pt, 74 % were found so and 9 in 10 are this way (report-planted). Three labs
// leave two, of which nothing robust can be said: there it is the mean of all.
static void reference_of(const double *values, size_t count, size_t mine, double *workspace,
                         struct rt_robust *ret)
{
    size_t others = 0;
    for (size_t i = 0; i < count; i++)
        if (i != mine || count < 4)
            workspace[others++] = values[i];
    rt_algorithm_a(workspace, others, workspace + count, ret);
}

static enum rt_status look(const struct rt_slice *slice, const struct rt_block *block,
                           const struct rt_effect *effects, enum rt_look kind,
                           struct rt_report_part *part)
{
    const struct rt_study_plan *plan = &slice->study->plan;
    double *values = rt_arena_array(slice->arena, block->labs * 3 + 1, sizeof *values);
    if (!values)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < block->labs; i++)
        values[i] = effects[i].y;
    // Cells of two or three trials have a posterior variance that is too small; the lab x condition
    // mean square sees their true noise.
    struct rt_value floor = rt_interaction_variance(block->y, block->conditions, block->labs);
    struct rt_robust robust;
    rt_algorithm_a(values, block->labs, values + block->labs, &robust);
    part->robust_mean[kind] = robust.mean;
    for (size_t i = 0; i < block->labs; i++) {
        struct rt_lab_look *mine = &part->labs[block->lab[i]].looks[kind];
        mine->value = rt_value(effects[i].y);
        mine->se = rt_value(sqrt(effects[i].v));
        reference_of(values, block->labs, i, values + block->labs, &robust);
        mine->reference = robust.mean;
        mine->z_prime = mine->z_noise = mine->p = mine->p_holm =
            rt_undefined(RT_REASON_NOT_REGISTERED);
        if (!plan->has_sigma_pt)
            continue;
        double own = fmax(effects[i].v, rt_value_or(floor, 0));
        double noise = sqrt(plan->sigma_pt * plan->sigma_pt + own);
        mine->z_prime = rt_z_prime(effects[i].y, &robust, plan->sigma_pt);
        mine->z_noise = rt_z_prime(effects[i].y, &robust, noise);
        mine->p =
            rt_value_ok(mine->z_noise) ? rt_value(rt_z_p(mine->z_noise.number)) : mine->z_noise;
        mine->p_holm = mine->p; // adjusted once all looks are there
    }
    return RT_OK;
}

static enum rt_status look_at(const struct rt_slice *slice, const struct rt_filter *filter,
                              enum rt_look kind, struct rt_report_part *part)
{
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, filter, &block);
    if (status)
        return status;
    struct rt_effect *effects = rt_arena_array(slice->arena, block.labs + 1, sizeof *effects);
    if (!effects)
        return RT_NO_MEMORY;
    if (rt_block_effects(&block, slice->study, slice->arena, effects) != RT_REASON_NONE)
        return RT_OK;
    status = look(slice, &block, effects, kind, part);
    if (!status && kind == RT_LOOK_RATE)
        status = mandel(slice, &block, effects, part);
    return status;
}

static struct rt_lab_look nothing_seen(enum rt_reason reason)
{
    struct rt_value none = rt_undefined(reason);
    return (struct rt_lab_look){none, none, none, none, none, none, none, false};
}

enum rt_status rt_labs_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    part->lab_count = slice->labs;
    part->labs = rt_arena_array(slice->arena, slice->labs, sizeof *part->labs);
    bool *only = rt_arena_array(slice->arena, slice->labs, sizeof *only);
    if (!part->labs || !only)
        return RT_NO_MEMORY;
    part->h_critical = part->k_critical = rt_undefined(RT_REASON_SINGLE_LAB);
    part->robust_mean[0] = part->robust_mean[1] = rt_undefined(RT_REASON_NO_TRIALS);
    for (uint32_t l = 0; l < slice->labs; l++) {
        struct rt_lab_row *row = &part->labs[l];
        *row = (struct rt_lab_row){.lab = l, .compared = slice->compared[l]};
        row->covered = slice->covered[l];
        row->covered_by_any = slice->covered_by_any;
        row->h = row->k = rt_undefined(RT_REASON_NO_TRIALS);
        row->looks[RT_LOOK_RATE] = row->looks[RT_LOOK_EFFECT] = nothing_seen(RT_REASON_NO_TRIALS);
        struct rt_filter filter = RT_FILTER_ALL;
        filter.labs = only;
        only[l] = true;
        enum rt_status status = rt_estimate_make(slice, &filter, &row->estimate);
        only[l] = false;
        if (status)
            return status;
    }
    count_trials(slice, part);
    struct rt_filter filter = RT_FILTER_ALL;
    enum rt_status status = look_at(slice, &filter, RT_LOOK_RATE, part);
    for (uint32_t arm = 0; arm < study->arm_count && !status; arm++)
        if (study->arms[arm].role == RT_STUDY_INERT) {
            filter.arm = study->arms[arm].inert_of;
            filter.reference = arm;
            return look_at(slice, &filter, RT_LOOK_EFFECT, part);
        }
    return status;
}

// ---- flags

// Visits every look under one rater in a fixed order: calls `take` with each that has a p value.
static size_t gather(struct rt_report *report, uint32_t rater, struct rt_lab_look **ret)
{
    size_t count = 0;
    for (size_t p = 0; p < report->part_count; p++) {
        struct rt_report_part *part = &report->parts[p];
        if (part->rater != rater)
            continue;
        for (size_t l = 0; l < part->lab_count; l++)
            for (int kind = RT_LOOK_RATE; kind <= RT_LOOK_EFFECT; kind++)
                if (rt_value_ok(part->labs[l].looks[kind].p)) {
                    if (ret)
                        ret[count] = &part->labs[l].looks[kind];
                    count++;
                }
    }
    return count;
}

static enum rt_status holm(struct rt_report *report, uint32_t rater)
{
    size_t count = gather(report, rater, NULL);
    struct rt_lab_look **looks = rt_arena_array(report->arena, count + 1, sizeof *looks);
    double *p = rt_arena_array(report->arena, count * 2 + 1, sizeof *p);
    size_t *workspace = rt_arena_array(report->arena, count + 1, sizeof *workspace);
    if (!looks || !p || !workspace)
        return RT_NO_MEMORY;
    gather(report, rater, looks);
    for (size_t i = 0; i < count; i++)
        p[i] = looks[i]->p.number;
    rt_adjust_holm(p, count, workspace, p + count);
    double error = 1 - report->study->plan.confidence;
    for (size_t i = 0; i < count; i++) {
        looks[i]->p_holm = rt_value(p[count + i]);
        looks[i]->odd = rt_value_ok(looks[i]->z_prime) &&
                        fabs(looks[i]->z_prime.number) >= RT_REPORT_ODD_Z && p[count + i] <= error;
    }
    return RT_OK;
}

enum rt_status rt_labs_flag(struct rt_report *report)
{
    for (uint32_t rater = 0; rater < report->study->rater_count; rater++) {
        enum rt_status status = holm(report, rater);
        if (status)
            return status;
    }
    for (size_t p = 0; p < report->part_count; p++) {
        struct rt_report_part *part = &report->parts[p];
        for (size_t l = 0; l < part->lab_count; l++) {
            struct rt_lab_row *row = &part->labs[l];
            row->odd = row->looks[RT_LOOK_RATE].odd || row->looks[RT_LOOK_EFFECT].odd;
            part->odd_count += row->odd;
        }
    }
    return RT_OK;
}

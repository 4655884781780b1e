// SPDX-License-Identifier: Apache-2.0
// Every test that can point at a lab, side by side, with Holm's and Benjamini and Hochberg's
// adjustment over all of them (STATISTICS 3.2, 3.15). A table to read: labs are named by labs.c
// against the registered sigma_pt alone.
#include <math.h>

#include "common/report/parts.h"
#include "common/stats/oddlab.h"
#include "common/stats/special.h"

struct table {
    struct rt_odd_tests *tests;
    size_t room;
};

static struct rt_odd_test *add(struct table *table, const char *test, uint32_t lab,
                               struct rt_value statistic, struct rt_value critical,
                               struct rt_value p)
{
    RT_ASSERT(table->tests->count < table->room);
    struct rt_value none = rt_undefined(rt_value_ok(p) ? RT_REASON_NO_TRIALS : p.reason);
    struct rt_odd_test *row = &table->tests->rows[table->tests->count++];
    *row = (struct rt_odd_test){.test = test,
                                .lab = lab,
                                .statistic = statistic,
                                .critical = critical,
                                .p = p,
                                .holm = none,
                                .benjamini_hochberg = none};
    return row;
}

// h is the deviation Grubbs tests, so its tail is the same t without the factor for the largest.
static struct rt_value p_of_h(struct rt_value h, size_t labs)
{
    if (!rt_value_ok(h))
        return h;
    double l = (double)labs, square = h.number * h.number;
    double rest = (l - 1) * (l - 1) - l * square;
    if (labs < 3)
        return rt_undefined(RT_REASON_FEWER_THAN_3_LABS);
    if (!(rest > 0))
        return rt_value(0);
    return rt_value(2 * rt_t_cdf(sqrt(l * (l - 2) * square / rest), l - 2).upper);
}

// k^2 against the others' pooled variance is F on the lab's and the others' degrees of freedom.
static struct rt_value p_of_k(struct rt_value k, const struct rt_sample *samples, size_t labs,
                              size_t mine)
{
    double l = (double)labs, others = 0;
    if (!rt_value_ok(k))
        return k;
    for (size_t i = 0; i < labs; i++)
        others += i == mine || samples[i].n < 2 ? 0 : (double)samples[i].n - 1;
    double own = (double)samples[mine].n - 1, square = k.number * k.number;
    if (!(others > 0) || !(own > 0))
        return rt_undefined(RT_REASON_NO_REPLICATES);
    if (!(l - square > 0))
        return rt_value(0);
    return rt_value(rt_f_cdf((l - 1) * square / (l - square), own, others).upper);
}

static void add_summaries(const struct rt_block *block, const struct rt_sample *samples,
                          double confidence, struct table *table)
{
    struct rt_grubbs grubbs;
    struct rt_cochran cochran;
    rt_grubbs(samples, block->labs, &grubbs);
    rt_cochran(samples, block->labs, &cochran);
    bool high = rt_value_ok(grubbs.g_high) && rt_value_ok(grubbs.g_low) &&
                grubbs.g_high.number >= grubbs.g_low.number;
    if (rt_value_ok(grubbs.p))
        add(table, "Grubbs", block->lab[high ? grubbs.lab_high : grubbs.lab_low],
            high ? grubbs.g_high : grubbs.g_low, rt_grubbs_critical(block->labs, 1 - confidence),
            grubbs.p);
    else
        add(table, "Grubbs", RT_STUDY_NONE, grubbs.p, grubbs.p, grubbs.p);
    if (rt_value_ok(cochran.c))
        add(table, "Cochran C", block->lab[cochran.lab], cochran.c,
            rt_cochran_critical(block->labs, samples[0].n, 1 - confidence), cochran.p);
    else
        add(table, "Cochran C", RT_STUDY_NONE, cochran.c, cochran.c, cochran.c);
}

static enum rt_status add_labs(const struct rt_slice *slice, const struct rt_block *block,
                               const struct rt_sample *samples, const struct rt_report_part *part,
                               struct table *table)
{
    static const char *const looks[] = {"z' (rate)", "z' (effect)"};
    double *means = rt_arena_array(slice->arena, block->labs * 2 + 1, sizeof *means);
    struct rt_robust robust;
    if (!means)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < block->labs; i++)
        means[i] = samples[i].mean;
    rt_algorithm_a(means, block->labs, means + block->labs, &robust);
    for (size_t i = 0; i < block->labs; i++) {
        uint32_t lab = block->lab[i];
        const struct rt_lab_row *row = &part->labs[lab];
        add(table, "Mandel h", lab, row->h, part->h_critical, p_of_h(row->h, block->labs));
        add(table, "Mandel k", lab, row->k, part->k_critical,
            p_of_k(row->k, samples, block->labs, i));
        struct rt_value z = rt_robust_z(means[i], &robust);
        add(table, "Algorithm A z", lab, z, rt_value(RT_REPORT_ODD_Z),
            rt_value_ok(z) ? rt_value(rt_z_p(z.number)) : z);
        for (size_t kind = 0; kind < 2; kind++)
            if (rt_value_ok(row->looks[kind].p))
                add(table, looks[kind], lab, row->looks[kind].z_prime, rt_value(RT_REPORT_ODD_Z),
                    row->looks[kind].p);
    }
    return RT_OK;
}

static enum rt_status adjust(const struct rt_slice *slice, struct rt_odd_tests *tests)
{
    double *p = rt_arena_array(slice->arena, tests->count * 3 + 1, sizeof *p);
    size_t *workspace = rt_arena_array(slice->arena, tests->count + 1, sizeof *workspace);
    size_t count = 0;
    if (!p || !workspace)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < tests->count; i++)
        if (rt_value_ok(tests->rows[i].p))
            p[count++] = tests->rows[i].p.number;
    rt_adjust_holm(p, count, workspace, p + tests->count);
    rt_adjust_benjamini_hochberg(p, count, workspace, p + 2 * tests->count);
    tests->looks = count;
    count = 0;
    for (size_t i = 0; i < tests->count; i++) {
        struct rt_odd_test *row = &tests->rows[i];
        if (!rt_value_ok(row->p))
            continue;
        row->holm = rt_value(p[tests->count + count]);
        row->benjamini_hochberg = rt_value(p[2 * tests->count + count++]);
        row->flagged = row->holm.number <= 1 - slice->study->plan.confidence;
        tests->flagged += row->flagged;
    }
    return RT_OK;
}

enum rt_status rt_odd_tests_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    struct rt_effect *effects = rt_arena_array(slice->arena, block.labs + 1, sizeof *effects);
    struct rt_sample *samples = rt_arena_array(slice->arena, block.labs + 1, sizeof *samples);
    struct table table = {.tests = &part->odd_tests, .room = block.labs * 5 + 2};
    part->odd_tests.rows = rt_arena_array(slice->arena, table.room, sizeof *part->odd_tests.rows);
    if (!effects || !samples || !part->odd_tests.rows)
        return RT_NO_MEMORY;
    if (block.labs < 2 ||
        rt_block_effects(&block, slice->study, slice->arena, effects) != RT_REASON_NONE)
        return RT_OK;
    for (size_t i = 0; i < block.labs; i++)
        samples[i] = rt_lab_sample(&block, i, effects[i].y);
    add_summaries(&block, samples, slice->study->plan.confidence, &table);
    status = add_labs(slice, &block, samples, part, &table);
    return status ? status : adjust(slice, &part->odd_tests);
}

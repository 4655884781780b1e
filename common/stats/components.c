// SPDX-License-Identifier: Apache-2.0
#include "common/stats/components.h"

#include <math.h>
#include <string.h>

#define UNKNOWNS_MAX (RT_EFFECTS_MAX + 1)
// A pivot this far below its row's largest coefficient is rounding.
#define PIVOT_SMALLEST 1e-11

// What a subset of factors needs: its levels with their trials and sums of y about the grand mean.
struct margin {
    struct rt_partition part;
    double *n;
    double *sum;
};

struct work {
    const struct rt_factor_table *table;
    const struct rt_sample *samples;
    struct rt_arena *arena;
    struct margin margins[1u << RT_FACTORS_MAX];
    double trials;
    double mean;
    double within; // sum of m2
    double total;  // sum of (y - mean)^2
};

static enum rt_status margin_of(struct work *work, unsigned mask)
{
    struct margin *margin = &work->margins[mask];
    if (margin->n)
        return RT_OK;
    enum rt_status status = rt_partition(work->table, mask, work->arena, &margin->part);
    if (status != RT_OK)
        return status;
    margin->n = rt_arena_array(work->arena, margin->part.levels + 1, sizeof *margin->n);
    margin->sum = rt_arena_array(work->arena, margin->part.levels + 1, sizeof *margin->sum);
    if (!margin->n || !margin->sum)
        return RT_NO_MEMORY;
    for (size_t cell = 0; cell < work->table->cells; cell++) {
        double n = (double)work->samples[cell].n;
        margin->n[margin->part.ids[cell]] += n;
        margin->sum[margin->part.ids[cell]] += n * (work->samples[cell].mean - work->mean);
    }
    return RT_OK;
}

// Only cells with trials take part, so partitions see no empty level.
static enum rt_status take_cells(const struct rt_factor_table *table,
                                 const struct rt_sample *samples, struct rt_arena *arena,
                                 struct rt_factor_table *ret_table, struct rt_sample **ret_samples)
{
    uint32_t *codes = rt_arena_array(arena, table->cells * table->factors + 1, sizeof *codes);
    struct rt_sample *kept = rt_arena_array(arena, table->cells + 1, sizeof *kept);
    size_t cells = 0;
    if (!codes || !kept)
        return RT_NO_MEMORY;
    for (size_t cell = 0; cell < table->cells; cell++) {
        if (samples[cell].n == 0)
            continue;
        memcpy(codes + cells * table->factors, table->codes + cell * table->factors,
               table->factors * sizeof *codes);
        kept[cells++] = samples[cell];
    }
    *ret_table = (struct rt_factor_table){codes, cells, table->factors};
    *ret_samples = kept;
    return RT_OK;
}

static void totals(struct work *work)
{
    double sum = 0, first = work->samples[0].mean;
    for (size_t cell = 0; cell < work->table->cells; cell++) {
        work->trials += (double)work->samples[cell].n;
        sum += (double)work->samples[cell].n * (work->samples[cell].mean - first);
        work->within += work->samples[cell].m2;
    }
    work->mean = first + sum / work->trials;
    work->total = work->within;
    for (size_t cell = 0; cell < work->table->cells; cell++) {
        double gap = work->samples[cell].mean - work->mean;
        work->total += (double)work->samples[cell].n * gap * gap;
    }
}

// k_AB = sum over levels a of A and b of B of n_ab^2 / n_a.
static enum rt_status coefficient(struct work *work, unsigned a, unsigned b, double *ret)
{
    enum rt_status status = margin_of(work, a | b);
    if (status != RT_OK)
        return status;
    const struct margin *both = &work->margins[a | b], *own = &work->margins[a];
    double sum = 0;
    size_t next = 0;
    // Levels are numbered by first appearance, so each is met first in the order of its number.
    for (size_t cell = 0; cell < work->table->cells; cell++) {
        size_t level = both->part.ids[cell];
        if (level != next)
            continue;
        sum += both->n[level] * both->n[level] / own->n[own->part.ids[cell]];
        next++;
    }
    *ret = sum;
    return RT_OK;
}

// k_mu,B = sum of n_b^2 / N.
static double mean_coefficient(const struct work *work, unsigned b)
{
    const struct margin *margin = &work->margins[b];
    double sum = 0;
    for (size_t level = 0; level < margin->part.levels; level++)
        sum += margin->n[level] * margin->n[level];
    return sum / work->trials;
}

// T_A with y about the grand mean, where T_mu is 0.
static double explained(const struct work *work, unsigned a)
{
    const struct margin *margin = &work->margins[a];
    double sum = 0;
    for (size_t level = 0; level < margin->part.levels; level++)
        sum += margin->sum[level] * margin->sum[level] / margin->n[level];
    return sum;
}

struct equations {
    double a[UNKNOWNS_MAX][UNKNOWNS_MAX + 1];
    size_t size;
};

// Gaussian elimination with scaled partial pivoting; the solution is left in the last column.
static bool solve(struct equations *eq)
{
    size_t n = eq->size;
    for (size_t row = 0; row < n; row++) {
        double largest = 0;
        for (size_t col = 0; col < n; col++)
            largest = fmax(largest, fabs(eq->a[row][col]));
        if (!(largest > 0))
            return false;
        for (size_t col = 0; col <= n; col++)
            eq->a[row][col] /= largest;
    }
    for (size_t step = 0; step < n; step++) {
        size_t best = step;
        for (size_t row = step + 1; row < n; row++)
            if (fabs(eq->a[row][step]) > fabs(eq->a[best][step]))
                best = row;
        if (!(fabs(eq->a[best][step]) > PIVOT_SMALLEST))
            return false;
        for (size_t col = 0; col <= n; col++) {
            double swap = eq->a[step][col];
            eq->a[step][col] = eq->a[best][col];
            eq->a[best][col] = swap;
        }
        for (size_t row = 0; row < n; row++) {
            double factor = row == step ? 0 : eq->a[row][step] / eq->a[step][step];
            for (size_t col = step; col <= n && factor != 0; col++)
                eq->a[row][col] -= factor * eq->a[step][col];
        }
    }
    for (size_t row = 0; row < n; row++)
        eq->a[row][n] /= eq->a[row][row];
    return true;
}

static unsigned size_of(unsigned mask)
{
    return (unsigned)__builtin_popcount(mask);
}

static bool same_partition(const struct work *work, unsigned a, unsigned b)
{
    size_t levels = work->margins[a | b].part.levels;
    return work->margins[a].part.levels == levels && work->margins[b].part.levels == levels;
}

// Why the effect cannot be told apart given those kept before it; NONE where it can.
static enum rt_status why_dropped(struct work *work, unsigned effect, const unsigned *kept,
                                  size_t kept_count, enum rt_reason *ret)
{
    *ret = RT_REASON_NONE;
    if (work->margins[effect].part.levels < 2)
        *ret = RT_REASON_SINGLE_LEVEL;
    for (size_t i = 0; i < kept_count && *ret == RT_REASON_NONE; i++) {
        enum rt_status status = margin_of(work, effect | kept[i]);
        if (status != RT_OK)
            return status;
        if (same_partition(work, effect, kept[i]))
            *ret = RT_REASON_ALIASED;
    }
    if (*ret == RT_REASON_NONE && (double)work->margins[effect].part.levels == work->trials)
        *ret = RT_REASON_CONFOUNDED_WITH_RESIDUAL;
    return RT_OK;
}

// Fills ret->effect with levels and drops; kept receives the masks that stay.
static enum rt_status choose(struct work *work, const unsigned *effects, size_t count,
                             unsigned *kept, size_t *ret_kept, struct rt_components *ret)
{
    *ret_kept = 0;
    for (unsigned size = 1; size <= RT_FACTORS_MAX; size++) {
        for (size_t i = 0; i < count; i++) {
            struct rt_component *own = &ret->effect[i];
            enum rt_reason reason;
            if (size_of(effects[i]) != size)
                continue;
            enum rt_status status = margin_of(work, effects[i]);
            if (status == RT_OK)
                status = why_dropped(work, effects[i], kept, *ret_kept, &reason);
            if (status != RT_OK)
                return status;
            own->levels = work->margins[effects[i]].part.levels;
            if (reason != RT_REASON_NONE)
                own->raw = own->truncated = own->percent = rt_undefined(reason);
            else
                kept[(*ret_kept)++] = effects[i];
        }
    }
    return RT_OK;
}

static enum rt_status set_up(struct work *work, const unsigned *kept, size_t count,
                             struct equations *eq)
{
    eq->size = count + 1;
    for (size_t col = 0; col < count; col++) {
        double mean = mean_coefficient(work, kept[col]);
        for (size_t row = 0; row < count; row++) {
            double value;
            enum rt_status status = coefficient(work, kept[row], kept[col], &value);
            if (status != RT_OK)
                return status;
            eq->a[row][col] = value - mean;
        }
        eq->a[count][col] = work->trials - mean;
    }
    for (size_t row = 0; row < count; row++) {
        eq->a[row][count] = (double)work->margins[kept[row]].part.levels - 1;
        eq->a[row][count + 1] = explained(work, kept[row]);
    }
    eq->a[count][count] = work->trials - 1;
    eq->a[count][count + 1] = work->total;
    return RT_OK;
}

static void every_component(struct rt_components *ret, enum rt_reason reason)
{
    ret->total = rt_undefined(reason);
    for (size_t i = 0; i < ret->effects; i++)
        if (rt_value_ok(ret->effect[i].raw))
            ret->effect[i].raw = ret->effect[i].truncated = ret->effect[i].percent =
                rt_undefined(reason);
}

static void fill(const struct equations *eq, const unsigned *kept, size_t count,
                 struct rt_components *ret)
{
    double total = 0;
    for (size_t i = 0; i < ret->effects; i++) {
        struct rt_component *own = &ret->effect[i];
        size_t place = 0;
        if (!rt_value_ok(own->raw))
            continue;
        while (place < count && kept[place] != own->effect)
            place++;
        own->raw = rt_value(eq->a[place][eq->size]);
        own->truncated = rt_value(fmax(0, own->raw.number));
        own->note = own->raw.number < 0 ? RT_REASON_TRUNCATED_AT_ZERO : RT_REASON_NONE;
        total += own->truncated.number;
    }
    ret->total = rt_value(total);
    for (size_t i = 0; i < ret->effects; i++) {
        struct rt_component *own = &ret->effect[i];
        if (rt_value_ok(own->raw))
            own->percent = total > 0 ? rt_value(100 * own->truncated.number / total)
                                     : rt_undefined(RT_REASON_NO_VARIATION);
    }
}

enum rt_status rt_components(const struct rt_factor_table *table, const struct rt_sample *samples,
                             const unsigned *effects, size_t count, struct rt_arena *arena,
                             struct rt_components *ret)
{
    RT_ASSERT(count <= RT_EFFECTS_MAX && table->factors <= RT_FACTORS_MAX);
    struct rt_factor_table cells;
    struct rt_sample *kept_samples;
    struct work *work = rt_arena_alloc(arena, sizeof *work);
    struct equations *eq = rt_arena_alloc(arena, sizeof *eq);
    unsigned kept[RT_EFFECTS_MAX];
    size_t kept_count;
    if (!work || !eq)
        return RT_NO_MEMORY;
    enum rt_status status = take_cells(table, samples, arena, &cells, &kept_samples);
    if (status != RT_OK)
        return status;
    *work = (struct work){.table = &cells, .samples = kept_samples, .arena = arena};
    *ret = (struct rt_components){.cells = cells.cells, .effects = count + 1};
    for (size_t i = 0; i < count; i++)
        ret->effect[i].effect = effects[i];
    if (cells.cells == 0) {
        ret->mean = rt_undefined(RT_REASON_NO_TRIALS);
        every_component(ret, RT_REASON_NO_TRIALS);
        return RT_OK;
    }
    totals(work);
    ret->trials = (uint64_t)work->trials;
    ret->mean = rt_value(work->mean);
    ret->effect[count].levels = (size_t)work->trials;
    status = choose(work, effects, count, kept, &kept_count, ret);
    if (status == RT_OK)
        status = set_up(work, kept, kept_count, eq);
    if (status != RT_OK)
        return status;
    if (solve(eq))
        fill(eq, kept, kept_count, ret);
    else
        every_component(ret, RT_REASON_SINGULAR_OR_INSUFFICIENT);
    return RT_OK;
}

void rt_project(const struct rt_generalizability *components, const struct rt_design *design,
                struct rt_projection *ret)
{
    double l = fmax(0, components->lab), s = fmax(0, components->scenario);
    double p = fmax(0, components->phrasing), ls = fmax(0, components->lab_scenario);
    double lp = fmax(0, components->lab_phrasing), sp = fmax(0, components->scenario_phrasing);
    double lsp = fmax(0, components->lab_scenario_phrasing), e = fmax(0, components->residual);
    double nl = design->labs, ns = design->scenarios, np = design->phrasings;
    double nr = design->replicates;
    double relative = ls / nl + sp / np + lsp / (nl * np) + e / (nl * np * nr);
    double absolute = relative + l / nl + p / np + lp / (nl * np);
    double grand = l / nl + s / ns + p / np + ls / (nl * ns) + lp / (nl * np) + sp / (ns * np) +
                   lsp / (nl * ns * np) + e / (nl * ns * np * nr);
    double next = l + ls / ns + lp / np + lsp / (ns * np) + e / (ns * np * nr);
    struct rt_value none = rt_undefined(RT_REASON_NO_VARIATION);
    ret->relative = rt_value(relative);
    ret->absolute = rt_value(absolute);
    ret->coefficient = s + relative > 0 ? rt_value(s / (s + relative)) : none;
    ret->dependability = s + absolute > 0 ? rt_value(s / (s + absolute)) : none;
    ret->grand_mean_se = rt_value(sqrt(grand));
    ret->new_lab_sd = rt_value(sqrt(next));
}

// SPDX-License-Identifier: Apache-2.0
#include "common/stats/disagreement.h"

#include "common/stats/summary.h"

// Distances between categories, above the diagonal.
struct distances {
    double squared[RT_CATEGORIES_MAX][RT_CATEGORIES_MAX];
    size_t categories;
};

static const uint64_t *cell_at(const struct rt_category_table *table, size_t unit, size_t lab)
{
    return table->counts + (unit * table->labs + lab) * table->categories;
}

static uint64_t trials_of(const uint64_t *counts, size_t categories)
{
    uint64_t n = 0;
    for (size_t c = 0; c < categories; c++)
        n += counts[c];
    return n;
}

static size_t labs_in(const struct rt_category_table *table, size_t unit)
{
    size_t labs = 0;
    for (size_t l = 0; l < table->labs; l++)
        labs += trials_of(cell_at(table, unit, l), table->categories) > 0;
    return labs;
}

static void set_distances(const struct rt_category_table *table, enum rt_metric metric,
                          const double *marginals, struct distances *ret)
{
    ret->categories = table->categories;
    for (size_t a = 0; a < table->categories; a++)
        for (size_t b = a + 1; b < table->categories; b++)
            ret->squared[a][b] = rt_metric_distance(metric, table->scores, marginals, a, b);
}

// Equally weighted shares over the cells of units that two labs ran; the number of such cells.
static size_t mean_shares(const struct rt_category_table *table, double *ret_shares)
{
    size_t cells = 0;
    for (size_t c = 0; c < table->categories; c++)
        ret_shares[c] = 0;
    for (size_t u = 0; u < table->units; u++) {
        if (labs_in(table, u) < 2)
            continue;
        for (size_t l = 0; l < table->labs; l++) {
            const uint64_t *counts = cell_at(table, u, l);
            uint64_t n = trials_of(counts, table->categories);
            cells += n > 0;
            for (size_t c = 0; c < table->categories && n > 0; c++)
                ret_shares[c] += (double)counts[c] / (double)n;
        }
    }
    for (size_t c = 0; c < table->categories && cells > 0; c++)
        ret_shares[c] /= (double)cells;
    return cells;
}

static double pair_within(const struct distances *d, const uint64_t *counts, uint64_t n)
{
    double sum = 0;
    for (size_t a = 0; a < d->categories; a++)
        for (size_t b = a + 1; b < d->categories; b++)
            sum += rt_product(counts[a], counts[b]) * d->squared[a][b];
    return 2 * sum / rt_product(n, n - 1);
}

static double pair_between(const struct distances *d, const uint64_t *x, uint64_t nx,
                           const uint64_t *y, uint64_t ny)
{
    double sum = 0;
    for (size_t a = 0; a < d->categories; a++)
        for (size_t b = a + 1; b < d->categories; b++)
            sum += (rt_product(x[a], y[b]) + rt_product(x[b], y[a])) * d->squared[a][b];
    return sum / rt_product(nx, ny);
}

// Adds one unit's mean disagreements to the totals of ret.
static void add_unit(const struct rt_category_table *table, const struct distances *d, size_t unit,
                     double *within, double *between, struct rt_disagreement *ret)
{
    double own = 0, across = 0, repeated = 0, labs = 0;
    for (size_t l = 0; l < table->labs; l++) {
        const uint64_t *x = cell_at(table, unit, l);
        uint64_t nx = trials_of(x, d->categories);
        if (nx == 0)
            continue;
        labs++;
        if (nx >= 2) {
            own += pair_within(d, x, nx);
            repeated++;
        }
        for (size_t other = 0; other < l; other++) {
            const uint64_t *y = cell_at(table, unit, other);
            uint64_t ny = trials_of(y, d->categories);
            across += ny > 0 ? pair_between(d, x, nx, y, ny) : 0;
        }
    }
    if (repeated > 0) {
        *within += own / repeated;
        ret->units_within++;
    }
    if (labs >= 2) {
        *between += across / (labs * (labs - 1) / 2);
        ret->units_between++;
    }
}

// Krippendorff's alpha where every trial of a unit, whatever its lab, is a value of that unit.
static struct rt_value alpha_trials(const struct rt_category_table *table, enum rt_metric metric)
{
    double pairs[RT_CATEGORIES_MAX][RT_CATEGORIES_MAX] = {{0}};
    double marginals[RT_CATEGORIES_MAX] = {0};
    double total = 0, observed = 0, expected = 0;
    size_t q = table->categories;
    for (size_t u = 0; u < table->units; u++) {
        uint64_t unit[RT_CATEGORIES_MAX] = {0};
        for (size_t l = 0; l < table->labs; l++)
            for (size_t c = 0; c < q; c++)
                unit[c] += cell_at(table, u, l)[c];
        uint64_t n = trials_of(unit, q);
        if (n < 2)
            continue;
        total += (double)n;
        for (size_t a = 0; a < q; a++) {
            marginals[a] += (double)unit[a];
            for (size_t b = a + 1; b < q; b++)
                pairs[a][b] += rt_product(unit[a], unit[b]) / (double)(n - 1);
        }
    }
    if (total == 0)
        return rt_undefined(RT_REASON_NO_PAIRABLE_VALUES);
    for (size_t a = 0; a < q; a++) {
        for (size_t b = a + 1; b < q; b++) {
            double d = rt_metric_distance(metric, table->scores, marginals, a, b);
            observed += pairs[a][b] * d;
            expected += marginals[a] * marginals[b] * d;
        }
    }
    if (!(expected > 0))
        return rt_undefined(RT_REASON_NO_VARIATION);
    return rt_value(1 - (total - 1) * observed / expected);
}

static struct rt_value alpha(struct rt_value observed, struct rt_value expected)
{
    if (!rt_value_ok(observed))
        return observed;
    if (!rt_value_ok(expected))
        return expected;
    if (!(expected.number > 0))
        return rt_undefined(RT_REASON_NO_VARIATION);
    return rt_value(1 - observed.number / expected.number);
}

void rt_disagreement(const struct rt_category_table *table, enum rt_metric metric,
                     struct rt_disagreement *ret)
{
    RT_ASSERT(table->categories <= RT_CATEGORIES_MAX);
    struct distances d = {.categories = 0};
    double shares[RT_CATEGORIES_MAX], within = 0, between = 0, expected = 0;
    *ret = (struct rt_disagreement){0};
    size_t cells = mean_shares(table, shares);
    set_distances(table, metric, shares, &d);
    for (size_t u = 0; u < table->units; u++)
        add_unit(table, &d, u, &within, &between, ret);
    for (size_t a = 0; a < table->categories; a++)
        for (size_t b = a + 1; b < table->categories; b++)
            expected += 2 * shares[a] * shares[b] * d.squared[a][b];
    struct rt_value none = rt_undefined(RT_REASON_NO_REPLICATES);
    ret->within = ret->units_within ? rt_value(within / (double)ret->units_within) : none;
    none = rt_undefined(RT_REASON_SINGLE_LAB);
    ret->between = ret->units_between ? rt_value(between / (double)ret->units_between) : none;
    ret->expected = cells ? rt_value(expected) : none;
    ret->alpha_within = alpha(ret->within, ret->expected);
    ret->alpha_between = alpha(ret->between, ret->expected);
    ret->alpha_trials = alpha_trials(table, metric);
}

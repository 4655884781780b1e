// SPDX-License-Identifier: Apache-2.0
#include "common/stats/agreement.h"

#include <math.h>
#include <string.h>

#include "common/stats/metric.h"
#include "common/stats/special.h"
#include "common/stats/summary.h"

static const uint32_t *unit_at(const struct rt_ratings *ratings, size_t unit)
{
    return ratings->counts + unit * ratings->categories;
}

static uint64_t raters_of(const struct rt_ratings *ratings, size_t unit)
{
    const uint32_t *counts = unit_at(ratings, unit);
    uint64_t raters = 0;
    for (size_t c = 0; c < ratings->categories; c++)
        raters += counts[c];
    return raters;
}

static double score_of(const struct rt_ratings *ratings, size_t category)
{
    return ratings->scores ? ratings->scores[category] : (double)category;
}

// Krippendorff's coincidences above the diagonal and the marginal sums n_c over all pairable
// values.
struct coincidences {
    double pairs[RT_CATEGORIES_MAX][RT_CATEGORIES_MAX];
    uint64_t values[RT_CATEGORIES_MAX];
    uint64_t total;
};

// Adds one unit so many times, or takes it away again (-1).
static void coincide(const struct rt_ratings *ratings, size_t unit, int64_t times,
                     struct coincidences *sums)
{
    const uint32_t *counts = unit_at(ratings, unit);
    uint64_t raters = raters_of(ratings, unit);
    if (raters < 2)
        return;
    for (size_t c = 0; c < ratings->categories; c++) {
        if (counts[c] == 0)
            continue;
        sums->values[c] += (uint64_t)times * counts[c];
        for (size_t k = c + 1; k < ratings->categories; k++)
            sums->pairs[c][k] +=
                (double)times * (rt_product(counts[c], counts[k]) / (double)(raters - 1));
    }
    sums->total += (uint64_t)times * raters;
}

static struct rt_value alpha_of(const struct rt_ratings *ratings, enum rt_metric metric,
                                const struct coincidences *sums)
{
    double observed = 0, expected = 0, marginals[RT_CATEGORIES_MAX];
    size_t used = 0;
    for (size_t c = 0; c < ratings->categories; c++)
        marginals[c] = (double)sums->values[c];
    if (sums->total == 0)
        return rt_undefined(RT_REASON_NO_PAIRABLE_VALUES);
    for (size_t c = 0; c < ratings->categories; c++) {
        used += sums->values[c] > 0;
        for (size_t k = c + 1; k < ratings->categories; k++) {
            if (sums->values[c] == 0 || sums->values[k] == 0)
                continue;
            double d = rt_metric_distance(metric, ratings->scores, marginals, c, k);
            observed += sums->pairs[c][k] * d;
            expected += rt_product(sums->values[c], sums->values[k]) * d;
        }
    }
    if (used < 2 || !(expected > 0))
        return rt_undefined(RT_REASON_NO_VARIATION);
    return rt_value(1 - (double)(sums->total - 1) * observed / expected);
}

struct rt_value rt_krippendorff_alpha(const struct rt_ratings *ratings, enum rt_metric metric)
{
    RT_ASSERT(ratings->categories <= RT_CATEGORIES_MAX);
    struct coincidences sums = {0};
    for (size_t u = 0; u < ratings->units; u++)
        coincide(ratings, u, 1, &sums);
    return alpha_of(ratings, metric, &sums);
}

void rt_rating_patterns(const struct rt_ratings *ratings, size_t *of, size_t *example,
                        uint64_t *drawn, struct rt_rating_patterns *ret)
{
    size_t width = ratings->categories * sizeof *ratings->counts;
    *ret = (struct rt_rating_patterns){ratings, of, example, drawn, 0};
    // `drawn` holds the patterns' numbers in the order of their counts while they are found.
    for (size_t u = 0; u < ratings->units; u++) {
        size_t low = 0, high = ret->count;
        int order = 1;
        while (low < high && order != 0) {
            size_t middle = low + (high - low) / 2;
            order = memcmp(unit_at(ratings, u), unit_at(ratings, example[drawn[middle]]), width);
            if (order > 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (order == 0 && high < ret->count) {
            of[u] = (size_t)drawn[high];
            continue;
        }
        memmove(drawn + low + 1, drawn + low, (ret->count - low) * sizeof *drawn);
        drawn[low] = ret->count;
        example[ret->count] = u;
        of[u] = ret->count++;
    }
}

struct rt_value rt_krippendorff_alpha_of(const struct rt_rating_patterns *patterns,
                                         enum rt_metric metric, const size_t *drawn, size_t count)
{
    RT_ASSERT(patterns->ratings->categories <= RT_CATEGORIES_MAX);
    struct coincidences sums = {0};
    for (size_t p = 0; p < patterns->count; p++)
        patterns->drawn[p] = 0;
    for (size_t i = 0; i < count; i++)
        patterns->drawn[patterns->of[drawn[i]]]++;
    for (size_t p = 0; p < patterns->count; p++)
        if (patterns->drawn[p])
            coincide(patterns->ratings, patterns->example[p], (int64_t)patterns->drawn[p], &sums);
    return alpha_of(patterns->ratings, metric, &sums);
}

struct rt_value rt_krippendorff_jackknife(const struct rt_ratings *ratings, enum rt_metric metric)
{
    RT_ASSERT(ratings->categories <= RT_CATEGORIES_MAX);
    struct coincidences all = {0};
    double n = 0, mean = 0, squares = 0;
    for (size_t u = 0; u < ratings->units; u++)
        coincide(ratings, u, 1, &all);
    for (size_t u = 0; u < ratings->units; u++) {
        struct coincidences sums = all;
        coincide(ratings, u, -1, &sums);
        struct rt_value alpha = alpha_of(ratings, metric, &sums);
        if (!rt_value_ok(alpha))
            return alpha;
        // Welford, in unit order.
        n++;
        double gap = alpha.number - mean;
        mean += gap / n;
        squares += gap * (alpha.number - mean);
    }
    if (n < 2)
        return rt_undefined(RT_REASON_NO_PAIRABLE_VALUES);
    return rt_value(sqrt((n - 1) / n * squares));
}

// Everything Gwet's family needs once per table.
struct chance {
    double weights[RT_CATEGORIES_MAX][RT_CATEGORIES_MAX];
    double shares[RT_CATEGORIES_MAX];   // pi_k
    double weighted[RT_CATEGORIES_MAX]; // (w pi)_k
    double total_weight;
    double expected;
    double observed;
    double n;          // units rated at least once
    double n_pairable; // units rated at least twice
    size_t used;       // categories used
};

static void set_weights(const struct rt_ratings *ratings, enum rt_weight weight, struct chance *ch)
{
    size_t q = ratings->categories;
    double range = score_of(ratings, q - 1) - score_of(ratings, 0);
    for (size_t k = 0; k < q; k++) {
        for (size_t l = 0; l < q; l++) {
            double gap = fabs(score_of(ratings, k) - score_of(ratings, l)) / range;
            double w = k == l;
            if (weight == RT_WEIGHT_LINEAR)
                w = 1 - gap;
            else if (weight == RT_WEIGHT_QUADRATIC)
                w = 1 - gap * gap;
            ch->weights[k][l] = w;
            ch->total_weight += w;
        }
    }
}

// pa_i of a unit rated at least twice.
static double unit_agreement(const struct rt_ratings *ratings, const struct chance *ch, size_t unit,
                             double raters)
{
    const uint32_t *counts = unit_at(ratings, unit);
    double sum = 0;
    for (size_t k = 0; k < ratings->categories; k++) {
        if (counts[k] == 0)
            continue;
        double near = 0;
        for (size_t l = 0; l < ratings->categories; l++)
            near += ch->weights[k][l] * counts[l];
        sum += counts[k] * (near - 1);
    }
    return sum / (raters * (raters - 1));
}

static void tally(const struct rt_ratings *ratings, struct chance *ch)
{
    for (size_t u = 0; u < ratings->units; u++) {
        double raters = (double)raters_of(ratings, u);
        if (raters == 0)
            continue;
        ch->n++;
        for (size_t k = 0; k < ratings->categories; k++)
            ch->shares[k] += unit_at(ratings, u)[k] / raters;
        if (raters >= 2) {
            ch->n_pairable++;
            ch->observed += unit_agreement(ratings, ch, u, raters);
        }
    }
    for (size_t k = 0; k < ratings->categories; k++) {
        ch->used += ch->shares[k] > 0;
        ch->shares[k] /= ch->n;
    }
    if (ch->n_pairable > 0)
        ch->observed /= ch->n_pairable;
    for (size_t k = 0; k < ratings->categories; k++)
        for (size_t l = 0; l < ratings->categories; l++)
            ch->weighted[k] += ch->weights[k][l] * ch->shares[l];
}

// pe, from the shares (unit NULL) or of one unit with its own shares beside the common ones.
static double chance_agreement(const struct rt_ratings *ratings, const struct chance *ch,
                               enum rt_coefficient_kind kind, const uint32_t *unit, double raters)
{
    double q = (double)ratings->categories;
    double sum = 0;
    if (kind == RT_BRENNAN_PREDIGER)
        return ch->total_weight / (q * q);
    for (size_t k = 0; k < ratings->categories; k++) {
        double share = unit ? unit[k] / raters : ch->shares[k];
        sum += share * (kind == RT_GWET_AC ? 1 - ch->shares[k] : ch->weighted[k]);
    }
    return kind == RT_GWET_AC ? ch->total_weight / (q * (q - 1)) * sum : sum;
}

static double coefficient_variance(const struct rt_ratings *ratings, const struct chance *ch,
                                   enum rt_coefficient_kind kind, double estimate)
{
    double sum = 0;
    for (size_t u = 0; u < ratings->units; u++) {
        double raters = (double)raters_of(ratings, u);
        if (raters == 0)
            continue;
        double own = 0;
        if (raters >= 2)
            own = ch->n / ch->n_pairable * (unit_agreement(ratings, ch, u, raters) - ch->expected) /
                  (1 - ch->expected);
        double pe = chance_agreement(ratings, ch, kind, unit_at(ratings, u), raters);
        own -= 2 * (1 - estimate) * (pe - ch->expected) / (1 - ch->expected);
        sum += (own - estimate) * (own - estimate);
    }
    return sum / (ch->n * (ch->n - 1));
}

static void nothing(struct rt_coefficient *ret, enum rt_reason reason)
{
    struct rt_value none = rt_undefined(reason);
    ret->estimate = ret->se = ret->observed = ret->expected = none;
    ret->interval = rt_interval_undefined(reason);
}

void rt_agreement_coefficient(const struct rt_ratings *ratings, enum rt_coefficient_kind kind,
                              enum rt_weight weight, double confidence, struct rt_coefficient *ret)
{
    RT_ASSERT(ratings->categories <= RT_CATEGORIES_MAX);
    struct chance ch = {0};
    *ret = (struct rt_coefficient){0};
    if (ratings->categories < 2) {
        nothing(ret, RT_REASON_SINGLE_CATEGORY);
        return;
    }
    set_weights(ratings, weight, &ch);
    tally(ratings, &ch);
    ret->units = (size_t)ch.n;
    ret->units_pairable = (size_t)ch.n_pairable;
    if (ch.n_pairable == 0) {
        nothing(ret, RT_REASON_NO_PAIRABLE_VALUES);
        return;
    }
    ch.expected = chance_agreement(ratings, &ch, kind, NULL, 0);
    ret->observed = rt_value(ch.observed);
    ret->expected = rt_value(ch.expected);
    // Fleiss' chance agreement is 1 exactly where one category was used.
    if (kind == RT_FLEISS_KAPPA && ch.used < 2) {
        ret->estimate = ret->se = rt_undefined(RT_REASON_NO_VARIATION);
        ret->interval = rt_interval_undefined(RT_REASON_NO_VARIATION);
        return;
    }
    double estimate = (ch.observed - ch.expected) / (1 - ch.expected);
    ret->estimate = rt_value(estimate);
    if (ch.n < 2) {
        ret->se = rt_undefined(RT_REASON_SINGLE_LEVEL);
        ret->interval = rt_interval_undefined(RT_REASON_SINGLE_LEVEL);
        return;
    }
    double se = sqrt(coefficient_variance(ratings, &ch, kind, estimate));
    double half = rt_t_upper(rt_tail(confidence), ch.n - 1) * se;
    ret->se = rt_value(se);
    ret->interval = rt_interval(estimate - half, fmin(1, estimate + half));
}

struct rt_value rt_percent_agreement(const struct rt_ratings *ratings)
{
    double sum = 0, units = 0;
    for (size_t u = 0; u < ratings->units; u++) {
        uint64_t raters = raters_of(ratings, u);
        if (raters < 2)
            continue;
        unsigned __int128 pairs = 0;
        for (size_t c = 0; c < ratings->categories; c++) {
            uint64_t n = unit_at(ratings, u)[c];
            pairs += n ? (unsigned __int128)n * (n - 1) : 0;
        }
        sum += (double)pairs / rt_product(raters, raters - 1);
        units++;
    }
    return units > 0 ? rt_value(sum / units) : rt_undefined(RT_REASON_NO_PAIRABLE_VALUES);
}

int rt_verdict_binary(struct rt_counts counts, uint32_t threshold_micro)
{
    unsigned __int128 rate = (unsigned __int128)counts.k * 1000000;
    unsigned __int128 threshold = (unsigned __int128)counts.n * threshold_micro;
    if (counts.n == 0 || rate == threshold)
        return -1;
    return rate > threshold;
}

int rt_verdict_ordinal(const uint64_t *counts, size_t categories)
{
    uint64_t total = 0, below = 0;
    for (size_t c = 0; c < categories; c++)
        total += counts[c];
    for (size_t c = 0; c < categories && total > 0; c++) {
        below += counts[c];
        if (below >= total - below)
            return (int)c;
    }
    return -1;
}

void rt_verdicts_binary(const struct rt_count_table *table, uint32_t threshold_micro,
                        uint32_t *ret_counts, struct rt_verdicts *ret)
{
    size_t above = 0;
    *ret = (struct rt_verdicts){0};
    for (size_t c = 0; c < table->conditions; c++) {
        uint32_t *counts = ret_counts + 2 * c;
        counts[0] = counts[1] = 0;
        for (size_t l = 0; l < table->labs; l++) {
            struct rt_counts cell = rt_count_table_at(table, c, l);
            int verdict = rt_verdict_binary(cell, threshold_micro);
            if (verdict >= 0)
                counts[verdict]++;
            else
                ret->ties += cell.n > 0;
        }
        ret->verdicts += counts[0] + counts[1];
        above += counts[1];
    }
    ret->minority = above < ret->verdicts - above ? above : ret->verdicts - above;
}

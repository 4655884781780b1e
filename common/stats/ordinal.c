// SPDX-License-Identifier: Apache-2.0
#include "common/stats/ordinal.h"

#include <math.h>

#include "common/stats/special.h"
#include "common/stats/summary.h"

static uint64_t total_of(const uint64_t *counts, size_t categories)
{
    uint64_t n = 0;
    for (size_t c = 0; c < categories; c++)
        n += counts[c];
    return n;
}

struct rt_value rt_ordinal_exceedance(const uint64_t *counts, size_t categories, size_t threshold)
{
    uint64_t n = total_of(counts, categories), above = 0;
    for (size_t c = threshold; c < categories; c++)
        above += counts[c];
    if (n == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    return rt_value((double)above / (double)n);
}

struct rt_value rt_ordinal_dispersion(const uint64_t *counts, size_t categories)
{
    uint64_t n = total_of(counts, categories), below = 0;
    double sum = 0;
    if (n == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    for (size_t c = 0; c + 1 < categories; c++) {
        below += counts[c];
        sum += rt_product(below, n - below) / rt_product(n, n);
    }
    return rt_value(4 * sum / (double)(categories - 1));
}

static void dispersion(const struct rt_ordinal_labs *labs, const uint64_t *pooled,
                       struct rt_ordinal *ret)
{
    double within = 0;
    for (size_t l = 0; l < labs->labs; l++) {
        const uint64_t *own = labs->counts + l * labs->categories;
        double n = (double)total_of(own, labs->categories);
        if (n > 0)
            within += n / (double)ret->trials * rt_ordinal_dispersion(own, labs->categories).number;
    }
    ret->total = rt_ordinal_dispersion(pooled, labs->categories);
    ret->within = rt_value(within);
    ret->between = rt_value(ret->total.number - within);
    ret->between_share = rt_undefined(RT_REASON_NO_VARIATION);
    if (ret->total.number > 0)
        ret->between_share = rt_value(ret->between.number / ret->total.number);
}

static void kruskal(const struct rt_ordinal_labs *labs, const uint64_t *pooled,
                    struct rt_ordinal *ret)
{
    double ranks[RT_CATEGORIES_MAX];
    double n = (double)ret->trials, before = 0, ties = 0, spread = 0;
    // Mid-ranks about their mean (n + 1) / 2, so that nothing large is subtracted at the end.
    for (size_t c = 0; c < labs->categories; c++) {
        double t = (double)pooled[c];
        ranks[c] = before + (t + 1) / 2 - (n + 1) / 2;
        ties += t * t * t - t;
        before += t;
    }
    double room = 1 - ties / (n * n * n - n);
    ret->kruskal_h = ret->kruskal_p = rt_undefined(RT_REASON_NO_VARIATION);
    if (!(room > 0))
        return;
    for (size_t l = 0; l < labs->labs; l++) {
        const uint64_t *own = labs->counts + l * labs->categories;
        double trials = (double)total_of(own, labs->categories), sum = 0;
        for (size_t c = 0; c < labs->categories; c++)
            sum += (double)own[c] * ranks[c];
        spread += trials > 0 ? sum * sum / trials : 0;
    }
    double h = 12 / (n * (n + 1)) * spread / room;
    ret->kruskal_h = rt_value(h);
    ret->kruskal_p = rt_value(rt_chi2_cdf(h, (double)(ret->labs - 1)).upper);
}

static void pearson(const struct rt_ordinal_labs *labs, const uint64_t *pooled,
                    struct rt_ordinal *ret)
{
    double sum = 0;
    size_t used = 0;
    for (size_t c = 0; c < labs->categories; c++) {
        used += pooled[c] > 0;
        for (size_t l = 0; l < labs->labs && pooled[c] > 0; l++) {
            const uint64_t *own = labs->counts + l * labs->categories;
            uint64_t n = total_of(own, labs->categories);
            if (n == 0)
                continue;
            double expected = rt_product(n, pooled[c]) / (double)ret->trials;
            double gap = (double)own[c] - expected;
            sum += gap * gap / expected;
        }
    }
    ret->chi2_df = used > 1 ? (ret->labs - 1) * (used - 1) : 0;
    ret->chi2 = ret->chi2_p = rt_undefined(RT_REASON_NO_VARIATION);
    if (ret->chi2_df > 0) {
        ret->chi2 = rt_value(sum);
        ret->chi2_p = rt_value(rt_chi2_cdf(sum, (double)ret->chi2_df).upper);
    }
}

void rt_ordinal(const struct rt_ordinal_labs *labs, struct rt_ordinal *ret)
{
    RT_ASSERT(labs->categories >= 2 && labs->categories <= RT_CATEGORIES_MAX);
    uint64_t pooled[RT_CATEGORIES_MAX] = {0};
    *ret = (struct rt_ordinal){0};
    for (size_t l = 0; l < labs->labs; l++) {
        const uint64_t *own = labs->counts + l * labs->categories;
        uint64_t n = total_of(own, labs->categories);
        ret->labs += n > 0;
        ret->trials += n;
        for (size_t c = 0; c < labs->categories; c++)
            pooled[c] += own[c];
    }
    struct rt_value none =
        rt_undefined(ret->trials == 0 ? RT_REASON_NO_TRIALS : RT_REASON_SINGLE_LAB);
    ret->total = ret->within = ret->between = ret->between_share = none;
    ret->kruskal_h = ret->kruskal_p = ret->chi2 = ret->chi2_p = none;
    if (ret->trials > 0)
        dispersion(labs, pooled, ret);
    if (ret->labs >= 2) {
        kruskal(labs, pooled, ret);
        pearson(labs, pooled, ret);
    } else {
        ret->between = ret->between_share = none;
    }
}

struct rt_value rt_ordinal_superiority(const struct rt_ordinal_labs *labs, size_t lab)
{
    const uint64_t *own = labs->counts + lab * labs->categories;
    uint64_t n = total_of(own, labs->categories), others = 0;
    double wins = 0, ties = 0;
    for (size_t c = 0; c < labs->categories; c++) {
        uint64_t here = 0;
        for (size_t l = 0; l < labs->labs; l++)
            here += l == lab ? 0 : labs->counts[l * labs->categories + c];
        wins += rt_product(own[c], others);
        ties += rt_product(own[c], here);
        others += here;
    }
    if (n == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    if (others == 0)
        return rt_undefined(RT_REASON_SINGLE_LAB);
    return rt_value((wins + ties / 2) / rt_product(n, others));
}

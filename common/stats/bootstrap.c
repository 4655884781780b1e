// SPDX-License-Identifier: Apache-2.0
#include "common/stats/bootstrap.h"

#include <math.h>

#include "common/stats/accord.h"
#include "common/stats/summary.h"

uint64_t rt_bootstrap_stream(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

static void block_of(const struct rt_bootstrap_plan *plan, size_t replicate, size_t block,
                     uint64_t ret[4])
{
    uint64_t counter[4] = {block, replicate, 0, 0};
    uint64_t key[2] = {plan->seed, plan->stream};
    rt_philox(counter, key, ret);
}

// The high half of the product; the bias is below count / 2^64.
static size_t below(uint64_t word, size_t count)
{
    return (size_t)(((unsigned __int128)word * count) >> 64);
}

size_t rt_bootstrap_index(const struct rt_bootstrap_plan *plan, size_t replicate, size_t draw,
                          size_t count)
{
    uint64_t words[4];
    block_of(plan, replicate, draw >> 2, words);
    return below(words[draw & 3], count);
}

struct rt_value rt_bootstrap_replicate(const struct rt_bootstrap_plan *plan, size_t replicate,
                                       size_t count, rt_bootstrap_statistic *statistic,
                                       const void *context, size_t *drawn)
{
    uint64_t words[4];
    for (size_t draw = 0; draw < count; draw++) {
        if ((draw & 3) == 0)
            block_of(plan, replicate, draw >> 2, words);
        drawn[draw] = below(words[draw & 3], count);
    }
    return statistic(drawn, count, context);
}

void rt_bootstrap_run(const struct rt_bootstrap_plan *plan, size_t count,
                      rt_bootstrap_statistic *statistic, const void *context, size_t *drawn,
                      double *values, struct rt_bootstrap *ret)
{
    size_t defined = 0;
    *ret = (struct rt_bootstrap){.interval = rt_interval_undefined(RT_REASON_SINGLE_LEVEL)};
    if (count < 2)
        return;
    for (size_t b = 0; b < plan->replicates; b++) {
        struct rt_value value = rt_bootstrap_replicate(plan, b, count, statistic, context, drawn);
        if (rt_value_ok(value))
            values[defined++] = value.number;
    }
    ret->undefined = plan->replicates - defined;
    rt_sort_doubles(values, defined);
    // The small addend keeps a product such as 2000 * 0.05 from falling below its whole number.
    size_t low = (size_t)floor((double)(defined + 1) * rt_tail(plan->confidence) + 1e-9);
    if (low == 0 || 10 * ret->undefined > plan->replicates)
        ret->interval = rt_interval_undefined(RT_REASON_TOO_MANY_UNDEFINED);
    else
        ret->interval = rt_interval(values[low - 1], values[defined - low]);
}

struct rt_value rt_bootstrap_alpha(const size_t *drawn, size_t count, const void *context)
{
    const struct rt_bootstrap_alpha *alpha = context;
    return rt_krippendorff_alpha_of(alpha->patterns, alpha->metric, drawn, count);
}

void rt_accord_clusters(const struct rt_count_table *table, const size_t *clusters, size_t count,
                        struct rt_accord_cluster *ret)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct rt_accord_cluster){0};
    for (size_t c = 0; c < table->conditions; c++) {
        struct rt_accord_cluster *own = &ret[clusters[c]];
        struct rt_accord accord;
        rt_accord(table->cells + c * table->labs, table->labs, &accord);
        if (rt_value_ok(accord.accordance)) {
            own->within += 1 - accord.accordance.number;
            own->conditions_within++;
        }
        if (rt_value_ok(accord.concordance)) {
            own->between += 1 - accord.concordance.number;
            own->conditions_between++;
        }
    }
}

static struct rt_accord_cluster sum_of(const size_t *drawn, size_t count,
                                       const struct rt_accord_cluster *clusters)
{
    struct rt_accord_cluster sum = {0};
    for (size_t i = 0; i < count; i++) {
        const struct rt_accord_cluster *one = &clusters[drawn[i]];
        sum.within += one->within;
        sum.between += one->between;
        sum.conditions_within += one->conditions_within;
        sum.conditions_between += one->conditions_between;
    }
    return sum;
}

static struct rt_value agreement(double disagreement, size_t conditions, enum rt_reason reason)
{
    return conditions ? rt_value(1 - disagreement / (double)conditions) : rt_undefined(reason);
}

struct rt_value rt_bootstrap_accordance(const size_t *drawn, size_t count, const void *context)
{
    struct rt_accord_cluster sum = sum_of(drawn, count, context);
    return agreement(sum.within, sum.conditions_within, RT_REASON_NO_REPLICATES);
}

struct rt_value rt_bootstrap_concordance(const size_t *drawn, size_t count, const void *context)
{
    struct rt_accord_cluster sum = sum_of(drawn, count, context);
    return agreement(sum.between, sum.conditions_between, RT_REASON_SINGLE_LAB);
}

struct rt_value rt_bootstrap_odds_ratio(const size_t *drawn, size_t count, const void *context)
{
    struct rt_accord_cluster sum = sum_of(drawn, count, context);
    if (sum.conditions_within == 0)
        return rt_undefined(RT_REASON_NO_REPLICATES);
    if (sum.conditions_between == 0)
        return rt_undefined(RT_REASON_SINGLE_LAB);
    return rt_accord_odds_ratio(sum.within / (double)sum.conditions_within,
                                sum.between / (double)sum.conditions_between);
}

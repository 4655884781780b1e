// SPDX-License-Identifier: Apache-2.0
// Differences of two reports paired by what they have in common: a scenario's own difficulty and a
// lab's own bias drop out of them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/compare_parts.h"
#include "common/stats/interval.h"
#include "common/stats/meta.h"

#define PAIRS_MOST   65536
#define LARGEST_MOST 5

static const json_t *find(const json_t *rows, const char *member, const char *id)
{
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (strcmp(rt_compare_text(json_array_get(rows, i), member), id) == 0)
            return json_array_get(rows, i);
    return NULL;
}

struct pair {
    const char *id;
    double a, b;
};

// Scenarios with a figure in both, in a's order. *ret_pairs is the caller's to free.
static size_t pair_up(const json_t *a, const json_t *b, const char *member, struct pair **ret_pairs)
{
    const json_t *from = json_object_get(a, "by_scenario");
    const json_t *to = json_object_get(b, "by_scenario");
    size_t most = json_array_size(from), count = 0;
    *ret_pairs = most && most <= PAIRS_MOST ? calloc(most, sizeof **ret_pairs) : NULL;
    for (size_t i = 0; *ret_pairs && i < most; i++) {
        const json_t *row = json_array_get(from, i);
        const char *id = rt_compare_text(row, "scenario");
        const json_t *other = *id ? find(to, "scenario", id) : NULL;
        struct pair *pair = &(*ret_pairs)[count];
        pair->id = id;
        if (rt_compare_number(json_object_get(row, member), &pair->a) &&
            rt_compare_number(json_object_get(other, member), &pair->b))
            count++;
    }
    return count;
}

static json_t *limits(struct rt_interval interval)
{
    if (!rt_interval_ok(interval))
        return json_null();
    return json_pack("[f, f]", interval.lower, interval.upper);
}

json_t *rt_compare_scenarios(const json_t *a, const json_t *b, const char *member,
                             double confidence)
{
    struct pair *pairs;
    size_t count = pair_up(a, b, member, &pairs);
    double *differences = count ? calloc(count, sizeof *differences) : NULL;
    json_t *to = NULL;
    double sum = 0;
    for (size_t i = 0; differences && i < count; i++) {
        differences[i] = pairs[i].b - pairs[i].a;
        sum += differences[i];
    }
    if (differences && count >= 2 && isfinite(sum))
        to = json_pack("{s:I, s:f, s:o}", "scenarios", (json_int_t)count, "difference",
                       sum / (double)count, "interval",
                       limits(rt_interval_mean_t(differences, count, confidence)));
    free(differences);
    free(pairs);
    return to;
}

// ---- labs

static size_t lab_effects(const json_t *from, const json_t *to, const char *look,
                          struct rt_effect *ret, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(from) && count < most; i++) {
        const json_t *row = json_array_get(from, i);
        const json_t *other = find(to, "lab", rt_compare_text(row, "lab"));
        const json_t *x = json_object_get(row, look), *y = json_object_get(other, look);
        double a, b, se_a, se_b;
        if (!json_is_true(json_object_get(row, "compared")) ||
            !json_is_true(json_object_get(other, "compared")) ||
            !rt_compare_number(json_object_get(x, "value"), &a) ||
            !rt_compare_number(json_object_get(y, "value"), &b) ||
            !rt_compare_number(json_object_get(x, "se"), &se_a) ||
            !rt_compare_number(json_object_get(y, "se"), &se_b))
            continue;
        double v = se_a * se_a + se_b * se_b;
        if (v > 0 && isfinite(v) && isfinite(b - a))
            ret[count++] = (struct rt_effect){b - a, v};
    }
    return count;
}

json_t *rt_compare_labs(const json_t *a, const json_t *b, const char *look, double confidence)
{
    const json_t *from = json_object_get(a, "labs"), *to = json_object_get(b, "labs");
    size_t most = json_array_size(from);
    struct rt_effect *effects = most && most <= PAIRS_MOST ? calloc(most, sizeof *effects) : NULL;
    size_t count = effects ? lab_effects(from, to, look, effects, most) : 0;
    json_t *made = NULL;
    struct rt_meta meta;
    if (count >= 2) {
        rt_meta(effects, count, RT_TAU2_REML, confidence, &meta);
        bool wald = rt_interval_ok(meta.wald) &&
                    (!rt_interval_ok(meta.hk) ||
                     meta.wald.upper - meta.wald.lower > meta.hk.upper - meta.hk.lower);
        if (rt_value_ok(meta.mu))
            made = json_pack("{s:I, s:f, s:o, s:o}", "labs", (json_int_t)count, "difference",
                             meta.mu.number, "interval", limits(wald ? meta.wald : meta.hk), "tau",
                             rt_value_ok(meta.tau) ? json_real(meta.tau.number) : json_null());
    }
    free(effects);
    return made;
}

// ---- stability

static int by_change(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    double p = fabs(a->b - a->a), q = fabs(b->b - b->a);
    return p > q ? -1 : p < q ? 1 : strcmp(a->id, b->id);
}

// Mid-rank of one of the values among all of them.
static double rank_of(const struct pair *pairs, size_t count, bool second, size_t mine)
{
    double own = second ? pairs[mine].b : pairs[mine].a, below = 0, same = 0;
    for (size_t i = 0; i < count; i++) {
        double other = second ? pairs[i].b : pairs[i].a;
        below += other < own;
        same += other == own;
    }
    return below + (same + 1) / 2;
}

// Spearman's rank correlation with mid-ranks; null where a side is all ties.
static json_t *rank_correlation(const struct pair *pairs, size_t count)
{
    double middle = ((double)count + 1) / 2, xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < count; i++) {
        double x = rank_of(pairs, count, false, i) - middle;
        double y = rank_of(pairs, count, true, i) - middle;
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    return xx > 0 && yy > 0 ? json_real(xy / sqrt(xx * yy)) : json_null();
}

json_t *rt_compare_stability(const json_t *a, const json_t *b, const char *subject)
{
    struct pair *pairs;
    size_t count = pair_up(a, b, "mean", &pairs);
    json_t *to = NULL, *largest = json_array();
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += fabs(pairs[i].b - pairs[i].a);
    // Ranks are counted pair by pair: beyond some thousands of scenarios that is left out.
    if (count >= 3 && count <= 4096 && isfinite(sum)) {
        json_t *correlation = rank_correlation(pairs, count);
        qsort(pairs, count, sizeof *pairs, by_change);
        for (size_t i = 0; i < count && i < LARGEST_MOST; i++)
            json_array_append_new(largest, json_pack("{s:s, s:f, s:f, s:f}", "scenario",
                                                     pairs[i].id, "a", pairs[i].a, "b", pairs[i].b,
                                                     "difference", pairs[i].b - pairs[i].a));
        to = json_pack("{s:s, s:I, s:o, s:f, s:O}", "subject", subject, "scenarios",
                       (json_int_t)count, "rank_correlation", correlation, "mean_absolute_change",
                       sum / (double)count, "largest", largest);
    }
    json_decref(largest);
    free(pairs);
    return to;
}

// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/stats/accord.h"
#include "common/stats/bootstrap.h"
#include "common/stats/vectors/study.h"

static uint64_t hex_word(const json_t *array, size_t index)
{
    const char *text = json_string_value(json_array_get(array, index));
    return text ? strtoull(text, NULL, 16) : 0;
}

json_t *run_philox(struct vector *vector)
{
    const json_t *cases = json_object_get(vector->inputs, "cases");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *counter_json = json_object_get(json_array_get(cases, i), "counter");
        const json_t *key_json = json_object_get(json_array_get(cases, i), "key");
        uint64_t counter[4], key[2], words[4];
        for (size_t j = 0; j < 4; j++)
            counter[j] = hex_word(counter_json, j);
        for (size_t j = 0; j < 2; j++)
            key[j] = hex_word(key_json, j);
        rt_philox(counter, key, words);
        json_t *row = json_array();
        for (size_t j = 0; j < 4; j++) {
            char text[17];
            snprintf(text, sizeof text, "%016" PRIx64, words[j]);
            json_array_append_new(row, json_string(text));
        }
        json_array_append_new(out, row);
    }
    return json_pack("{s:o}", "cases", out);
}

static struct rt_bootstrap_plan read_plan(const struct vector *vector, const char *stream)
{
    size_t replicates = in_count(vector->inputs, "B");
    return (struct rt_bootstrap_plan){in_count(vector->inputs, "seed"),
                                      in_count(json_object_get(vector->inputs, "streams"), stream),
                                      replicates < 100000 ? replicates : 100000,
                                      in_number(vector->inputs, "confidence")};
}

static json_t *out_bootstrap(struct vector *vector, const struct rt_bootstrap_plan *plan,
                             size_t count, rt_bootstrap_statistic *statistic, const void *context)
{
    size_t *drawn = vector_alloc(vector, count, sizeof *drawn);
    double *values = vector_alloc(vector, plan->replicates, sizeof *values);
    struct rt_bootstrap result;
    json_t *out = json_object(), *first = json_array();
    for (size_t b = 0; b < 5; b++)
        json_array_append_new(
            first, out_value(rt_bootstrap_replicate(plan, b, count, statistic, context, drawn)));
    rt_bootstrap_run(plan, count, statistic, context, drawn, values, &result);
    bool defined = rt_interval_ok(result.interval);
    put_count(out, "undefined", result.undefined);
    json_object_set_new(out, "lower", defined ? json_real(result.interval.lower) : json_null());
    json_object_set_new(out, "upper", defined ? json_real(result.interval.upper) : json_null());
    json_object_set_new(out, "first5", first);
    return out;
}

json_t *run_bootstrap_alpha(struct vector *vector)
{
    static const char *const names[] = {"nominal", "ordinal", "interval"};
    struct rt_ratings ratings;
    json_t *ci = json_object(), *indices = json_object();
    if (!read_ratings(vector, &ratings) || ratings.units == 0)
        return NULL;
    struct rt_rating_patterns patterns;
    rt_rating_patterns(&ratings, vector_alloc(vector, ratings.units, sizeof(size_t)),
                       vector_alloc(vector, ratings.units, sizeof(size_t)),
                       vector_alloc(vector, ratings.units, sizeof(uint64_t)), &patterns);
    for (int metric = RT_METRIC_NOMINAL; metric <= RT_METRIC_INTERVAL; metric++) {
        struct rt_bootstrap_plan plan = read_plan(vector, names[metric]);
        struct rt_bootstrap_alpha alpha = {&patterns, (enum rt_metric)metric};
        json_object_set_new(
            ci, names[metric],
            out_bootstrap(vector, &plan, ratings.units, rt_bootstrap_alpha, &alpha));
    }
    // The places drawn by some replicates of the nominal stream.
    struct rt_bootstrap_plan plan = read_plan(vector, names[0]);
    const char *key;
    json_t *unused;
    json_object_foreach(json_object_get(json_object_get(vector->whole, "expected"), "indices"), key,
                        unused)
    {
        json_t *places = json_array();
        for (size_t draw = 0; draw < ratings.units; draw++)
            json_array_append_new(
                places, json_integer((json_int_t)rt_bootstrap_index(&plan, strtoull(key, NULL, 10),
                                                                    draw, ratings.units)));
        json_object_set_new(indices, key, places);
    }
    return json_pack("{s:o,s:o}", "ci", ci, "indices", indices);
}

json_t *run_bootstrap_study(struct vector *vector)
{
    static const struct {
        const char *name;
        rt_bootstrap_statistic *statistic;
    } statistics[] = {
        {"accordance", rt_bootstrap_accordance},
        {"concordance", rt_bootstrap_concordance},
        {"concordance_odds_ratio", rt_bootstrap_odds_ratio},
    };
    struct study study;
    const json_t *inputs = json_object_get(vector->other, "inputs");
    if (!study_init(vector, json_object_get(inputs, "cells"), &study))
        return NULL;
    struct rt_count_table table =
        study_counts(vector, &study, table_all_counts(vector, &study.table));
    const struct factor *scenario = &study.factors[STUDY_SCENARIO];
    size_t *cluster_of = vector_alloc(vector, table.conditions, sizeof *cluster_of);
    for (size_t c = 0; c < table.conditions; c++)
        cluster_of[c] = scenario->codes[study.first_row[c]];
    struct rt_accord_cluster *clusters = vector_alloc(vector, scenario->levels, sizeof *clusters);
    struct rt_accord accord;
    rt_accord_clusters(&table, cluster_of, scenario->levels, clusters);
    rt_accord_study(&table, &accord);
    json_t *point = json_object(), *ci = json_object();
    put(point, "accordance", accord.accordance);
    put(point, "concordance", accord.concordance);
    put(point, "concordance_odds_ratio", accord.odds_ratio);
    for (size_t i = 0; i < 3; i++) {
        struct rt_bootstrap_plan plan = read_plan(vector, statistics[i].name);
        json_object_set_new(
            ci, statistics[i].name,
            out_bootstrap(vector, &plan, scenario->levels, statistics[i].statistic, clusters));
    }
    json_t *out = json_pack("{s:o,s:o}", "point", point, "ci", ci);
    put_count(out, "n_clusters", scenario->levels);
    return out;
}

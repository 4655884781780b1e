// SPDX-License-Identifier: Apache-2.0
// The vectors of tests/independent/arithmetic.py, which was written from DESIGN.md alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "proto/trial.h"

static json_t *load(const char *name)
{
    char path[512];
    assert_int_equal(rt_path_join(path, sizeof path, RT_VECTORS "/arithmetic", name), RT_OK);
    struct rt_buf text;
    rt_buf_init(&text, 1 << 24);
    assert_int_equal(rt_file_read(path, &text, NULL), RT_OK);
    json_t *json = NULL;
    assert_int_equal(rt_json_parse(rt_buf_bytes(&text), &json, NULL), RT_OK);
    rt_buf_release(&text);
    assert_true(json_array_size(json) > 0);
    return json;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    assert_non_null(text);
    return text;
}

static uint64_t number_of(const json_t *value)
{
    return json_is_string(value) ? strtoull(json_string_value(value), NULL, 10)
                                 : (uint64_t)json_integer_value(value);
}

static struct rt_digest digest_of(const char *hex)
{
    struct rt_digest digest;
    assert_int_equal(rt_hex_decode(hex, strlen(hex), digest.bytes, 32), RT_OK);
    return digest;
}

static void permutation(void **state)
{
    (void)state;
    json_t *rows = load("permutation.json"), *row, *item;
    size_t r, i;
    json_array_foreach(rows, r, row)
    {
        uint8_t key[16];
        assert_int_equal(rt_hex_decode(text_of(row, "key"), 32, key, 16), RT_OK);
        uint64_t size = number_of(json_object_get(row, "size"));
        json_array_foreach(json_object_get(row, "images"), i, item)
        {
            assert_int_equal(rt_order_forward(key, size, i), number_of(item));
            assert_int_equal(rt_order_backward(key, size, number_of(item)), i);
        }
        json_array_foreach(json_object_get(row, "points"), i, item)
        {
            uint64_t from = number_of(json_array_get(item, 0));
            uint64_t to = number_of(json_array_get(item, 1));
            assert_int_equal(rt_order_forward(key, size, from), to);
            assert_int_equal(rt_order_backward(key, size, to), from);
        }
    }
    json_decref(rows);
}

static void seeds(void **state)
{
    (void)state;
    json_t *rows = load("seed.json"), *row;
    size_t r;
    json_array_foreach(rows, r, row)
    {
        struct rt_digest draw = digest_of(text_of(row, "draw"));
        bool per_lab = strcmp(text_of(row, "seeds"), "per-lab") == 0;
        uint32_t seed = rt_trial_seed(per_lab ? RT_SEEDS_PER_LAB : RT_SEEDS_SHARED, &draw,
                                      number_of(json_object_get(row, "number")),
                                      per_lab ? text_of(row, "lab") : "ignored");
        assert_int_equal(seed, number_of(json_object_get(row, "seed")));
        assert_true(seed < (uint32_t)1 << 31);
    }
    json_decref(rows);
}

static void draws(void **state)
{
    (void)state;
    json_t *rows = load("draw.json"), *row, *item;
    size_t r, i;
    json_array_foreach(rows, r, row)
    {
        struct rt_digest leaf = digest_of(text_of(row, "leaf")), accepts[8], draw;
        json_array_foreach(json_object_get(row, "accepts"), i, item)
        {
            accepts[i] = digest_of(json_string_value(item));
        }
        rt_trial_draw(&leaf, accepts, json_array_size(json_object_get(row, "accepts")), &draw);
        struct rt_digest want = digest_of(text_of(row, "draw"));
        assert_true(rt_digest_equal(&draw, &want));
    }
    json_decref(rows);
}

// A campaign of which trial arithmetic sees all it needs.
static void campaign_of(const json_t *row, struct rt_campaign *campaign,
                        struct rt_configuration *configurations, struct rt_campaign_lab *labs)
{
    json_t *subject, *lab, *item;
    size_t s, l, i;
    *campaign = (struct rt_campaign){
        .prompt_count = number_of(json_object_get(row, "prompts")),
        .configurations = configurations,
        .labs = labs,
        .design = {.replicates = number_of(json_object_get(row, "replicates")),
                   .replicates_at_zero = number_of(json_object_get(row, "replicates_at_zero"))},
    };
    json_array_foreach(json_object_get(row, "subjects"), s, subject)
    {
        json_array_foreach(subject, i, item)
        {
            configurations[campaign->configuration_count++] =
                (struct rt_configuration){.subject = (uint32_t)s,
                                          .temperature = (uint32_t)i,
                                          .temperature_micro = json_integer_value(item)};
        }
    }
    json_array_foreach(json_object_get(row, "labs"), l, lab)
    {
        labs[l] = (struct rt_campaign_lab){.id = text_of(lab, "id")};
        json_array_foreach(json_object_get(lab, "runs"), i, item)
        {
            labs[l].runs |= (uint64_t)1 << json_integer_value(item);
        }
        campaign->lab_count++;
    }
}

static void designs(void **state)
{
    (void)state;
    json_t *rows = load("design.json"), *row, *lab, *item;
    size_t r, l, i;
    json_array_foreach(rows, r, row)
    {
        struct rt_campaign campaign;
        struct rt_configuration configurations[16];
        struct rt_campaign_lab labs[8];
        campaign_of(row, &campaign, configurations, labs);
        struct rt_digest draw = digest_of(text_of(row, "draw"));
        uint64_t total = 0;
        json_array_foreach(json_object_get(row, "labs"), l, lab)
        {
            struct rt_lab_plan plan;
            struct rt_lab_order order = {0};
            rt_lab_plan_init(&plan, &campaign, (uint32_t)l, &draw);
            json_t *want = json_object_get(lab, "order");
            assert_int_equal(plan.count, json_array_size(want));
            total += plan.count;
            json_array_foreach(want, i, item)
            {
                uint64_t number, position;
                assert_int_equal(rt_lab_trial(&plan, &order, i, &number), RT_OK);
                assert_int_equal(number, number_of(item));
                assert_int_equal(rt_lab_position(&plan, &order, number, &position), RT_OK);
                assert_int_equal(position, i);
            }
        }
        assert_int_equal(rt_trial_total(&campaign), total);
    }
    json_decref(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permutation),
        cmocka_unit_test(seeds),
        cmocka_unit_test(draws),
        cmocka_unit_test(designs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

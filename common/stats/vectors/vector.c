// SPDX-License-Identifier: Apache-2.0
#include "common/stats/vectors/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"

#define VECTOR_FILE_BYTES (64u << 20)
#define ARENA_BYTES       ((size_t)1 << 30)
#define COUNT_MAX         (UINT64_C(1) << 53)

struct chunk {
    struct chunk *next;
    _Alignas(16) unsigned char data[];
};

static bool load_json(const char *folder, const char *name, json_t **ret_json, struct rt_error *err)
{
    char path[4096];
    struct rt_buf text;
    rt_buf_init(&text, VECTOR_FILE_BYTES);
    bool loaded = rt_path_join(path, sizeof path, folder, name) == RT_OK &&
                  rt_file_read(path, &text, err) == RT_OK &&
                  rt_json_parse(rt_buf_bytes(&text), ret_json, err) == RT_OK;
    rt_buf_release(&text);
    return loaded;
}

bool vector_load(struct vector *vector, const char *folder, const char *name)
{
    struct rt_error err = {0};
    *vector = (struct vector){.folder = folder};
    rt_arena_init(&vector->arena, ARENA_BYTES);
    if (!load_json(folder, name, &vector->whole, &err)) {
        snprintf(vector->text, sizeof vector->text, "%.300s", err.text);
        return false;
    }
    vector->inputs = json_object_get(vector->whole, "inputs");
    const char *other = json_string_value(json_object_get(vector->inputs, "cells_from"));
    char other_name[256];
    if (other) {
        snprintf(other_name, sizeof other_name, "%s.json", other);
        if (strchr(other, '/') || !load_json(folder, other_name, &vector->other, &err)) {
            snprintf(vector->text, sizeof vector->text, "cells_from: %.300s", err.text);
            return false;
        }
    }
    if (!json_is_object(json_object_get(vector->whole, "expected")) ||
        !json_is_string(json_object_get(vector->whole, "statistic"))) {
        snprintf(vector->text, sizeof vector->text, "not a vector");
        return false;
    }
    return true;
}

void vector_release(struct vector *vector)
{
    json_decref(vector->whole);
    json_decref(vector->other);
    for (struct chunk *chunk = vector->chunks; chunk;) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    rt_arena_release(&vector->arena);
    *vector = (struct vector){0};
}

void *vector_alloc(struct vector *vector, size_t count, size_t each)
{
    size_t size;
    struct chunk *chunk = NULL;
    if (!__builtin_mul_overflow(count, each, &size) && size < SIZE_MAX / 2)
        chunk = calloc(1, sizeof *chunk + size);
    if (!chunk) {
        fprintf(stderr, "stats-vectors: out of memory\n");
        exit(RT_EXIT_IO);
    }
    chunk->next = vector->chunks;
    vector->chunks = chunk;
    return chunk->data;
}

enum vector_verdict vector_run(struct vector *vector)
{
    const char *statistic = json_string_value(json_object_get(vector->whole, "statistic"));
    vector_runner *run = vector_runner_of(statistic);
    if (!run) {
        snprintf(vector->text, sizeof vector->text, "statistic %.100s is not computed", statistic);
        return VECTOR_SKIP;
    }
    json_t *actual = run(vector);
    if (!actual) {
        if (!*vector->text)
            snprintf(vector->text, sizeof vector->text, "inputs cannot be read");
        return VECTOR_FAIL;
    }
    bool same = vector_compare(json_object_get(vector->whole, "expected"), actual,
                               json_object_get(vector->whole, "tolerance"), vector->text);
    json_decref(actual);
    return same ? VECTOR_PASS : VECTOR_FAIL;
}

double in_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

uint64_t as_count(const json_t *number)
{
    double value = json_number_value(number);
    return value >= 0 && value <= (double)COUNT_MAX ? (uint64_t)value : 0;
}

uint64_t in_count(const json_t *object, const char *key)
{
    return as_count(json_object_get(object, key));
}

static struct rt_counts counts_of(uint64_t n, uint64_t k)
{
    return (struct rt_counts){n, k < n ? k : n};
}

struct rt_counts in_counts(const json_t *object, const char *n_key, const char *k_key)
{
    return counts_of(in_count(object, n_key), in_count(object, k_key));
}

double *in_numbers(struct vector *vector, const json_t *array, size_t *ret_count)
{
    *ret_count = json_array_size(array);
    double *numbers = vector_alloc(vector, *ret_count, sizeof *numbers);
    for (size_t i = 0; i < *ret_count; i++)
        numbers[i] = json_number_value(json_array_get(array, i));
    return numbers;
}

struct table in_table(const json_t *json)
{
    const json_t *rows = json_object_get(json, "rows");
    return (struct table){json_object_get(json, "columns"), rows, json_array_size(rows)};
}

static bool column_index(const struct table *table, const char *column, size_t *ret_index)
{
    for (size_t i = 0; i < json_array_size(table->columns); i++) {
        const char *name = json_string_value(json_array_get(table->columns, i));
        if (name && !strcmp(name, column)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool table_has(const struct table *table, const char *column)
{
    size_t index;
    return column_index(table, column, &index);
}

const json_t *table_at(const struct table *table, size_t row, const char *column)
{
    size_t index;
    if (!column_index(table, column, &index))
        return NULL;
    return json_array_get(json_array_get(table->rows, row), index);
}

struct rt_counts table_counts(const struct table *table, size_t row)
{
    return counts_of(as_count(table_at(table, row, "n")), as_count(table_at(table, row, "k")));
}

struct rt_counts *table_all_counts(struct vector *vector, const struct table *table)
{
    struct rt_counts *counts = vector_alloc(vector, table->count, sizeof *counts);
    for (size_t row = 0; row < table->count; row++)
        counts[row] = table_counts(table, row);
    return counts;
}

struct factor table_factor(struct vector *vector, const struct table *table, const char *column)
{
    struct factor factor = {
        .codes = vector_alloc(vector, table->count, sizeof *factor.codes),
        .names = vector_alloc(vector, table->count, sizeof *factor.names),
    };
    for (size_t row = 0; row < table->count; row++) {
        const json_t *name = table_at(table, row, column);
        size_t code = 0;
        while (code < factor.levels && !json_equal(factor.names[code], name))
            code++;
        if (code == factor.levels)
            factor.names[factor.levels++] = name;
        factor.codes[row] = code;
    }
    return factor;
}

void table_categories(const struct table *table, size_t row, size_t categories, uint64_t *ret)
{
    const char *prefix = table_has(table, "c0") ? "c" : "count_";
    for (size_t c = 0; c < categories; c++) {
        char column[32];
        snprintf(column, sizeof column, "%s%zu", prefix, c);
        ret[c] = as_count(table_at(table, row, column));
    }
}

struct rt_factor_table table_factors(struct vector *vector, const struct table *table,
                                     const char *const *columns, size_t count,
                                     struct factor *ret_factors)
{
    uint32_t *codes = vector_alloc(vector, table->count * count, sizeof *codes);
    for (size_t f = 0; f < count; f++) {
        ret_factors[f] = table_factor(vector, table, columns[f]);
        for (size_t row = 0; row < table->count; row++)
            codes[row * count + f] = (uint32_t)ret_factors[f].codes[row];
    }
    return (struct rt_factor_table){codes, table->count, count};
}

json_t *out_value(struct rt_value value)
{
    return rt_value_ok(value) ? json_real(value.number) : json_null();
}

json_t *out_interval(struct rt_interval interval)
{
    if (!rt_interval_ok(interval))
        return json_null();
    return json_pack("[f,f]", interval.lower, interval.upper);
}

void put(json_t *object, const char *key, struct rt_value value)
{
    json_object_set_new(object, key, out_value(value));
}

void put_interval(json_t *object, const char *key, struct rt_interval interval)
{
    json_object_set_new(object, key, out_interval(interval));
}

void put_number(json_t *object, const char *key, double number)
{
    json_object_set_new(object, key, json_real(number));
}

void put_count(json_t *object, const char *key, uint64_t count)
{
    json_object_set_new(object, key, json_integer((json_int_t)count));
}

const char *key_text(struct vector *vector, const json_t *level)
{
    if (json_is_string(level))
        return json_string_value(level);
    char *text = vector_alloc(vector, 32, 1);
    rt_json_number(json_number_value(level), text);
    return text;
}

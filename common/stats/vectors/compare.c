// SPDX-License-Identifier: Apache-2.0
// The comparison rule of the vectors' README.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/stats/vectors/vector.h"

#define DEPTH_MAX 64

struct comparison {
    const json_t *by_key;
    char *text;
    char path[256];
};

struct tolerance {
    double absolute;
    double relative;
    bool exact;
};

static struct tolerance read_tolerance(const json_t *json)
{
    return (struct tolerance){json_number_value(json_object_get(json, "abs")),
                              json_number_value(json_object_get(json, "rel")),
                              json_is_true(json_object_get(json, "exact"))};
}

static bool differ(struct comparison *c, const json_t *expected, const json_t *actual)
{
    char *want = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
    char *have = actual ? json_dumps(actual, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    snprintf(c->text, VECTOR_TEXT_BYTES, "%.120s: expected %.100s, computed %.100s", c->path,
             want ? want : "?", have ? have : "nothing");
    free(want);
    free(have);
    return false;
}

static bool same_number(const json_t *expected, const json_t *actual, struct tolerance tolerance)
{
    if (!json_is_number(actual))
        return false;
    double e = json_number_value(expected), x = json_number_value(actual);
    return fabs(x - e) <= fmax(tolerance.absolute, tolerance.relative * fabs(e));
}

// Keys that are temperatures are compared as numbers.
static const json_t *member(const json_t *object, const char *key)
{
    const json_t *found = json_object_get(object, key);
    char *end;
    double number = strtod(key, &end);
    if (found || end == key || *end)
        return found;
    void *place = json_object_iter((json_t *)(uintptr_t)object);
    for (; place; place = json_object_iter_next((json_t *)(uintptr_t)object, place)) {
        const char *other = json_object_iter_key(place);
        double other_number = strtod(other, &end);
        if (end != other && !*end && other_number == number)
            return json_object_iter_value(place);
    }
    return NULL;
}

// Lists of marginal tables are matched by their level, other lists by place.
static const json_t *item(const json_t *expected, const json_t *actual, size_t index)
{
    const json_t *level = json_object_get(json_array_get(expected, index), "level");
    if (!level)
        return json_array_get(actual, index);
    for (size_t i = 0; i < json_array_size(actual); i++) {
        const json_t *other = json_object_get(json_array_get(actual, i), "level");
        bool numbers = json_is_number(level) && json_is_number(other);
        if (numbers ? json_number_value(level) == json_number_value(other)
                    : json_equal(level, other))
            return json_array_get(actual, i);
    }
    return NULL;
}

static bool compare(struct comparison *c, const json_t *expected, const json_t *actual,
                    struct tolerance tolerance, int depth);

static bool compare_object(struct comparison *c, const json_t *expected, const json_t *actual,
                           struct tolerance tolerance, int depth)
{
    size_t size = strlen(c->path);
    void *place = json_object_iter((json_t *)(uintptr_t)expected);
    for (; place; place = json_object_iter_next((json_t *)(uintptr_t)expected, place)) {
        const char *key = json_object_iter_key(place);
        const json_t *own = json_object_get(c->by_key, key);
        snprintf(c->path + size, sizeof c->path - size, "%s%s", size ? "/" : "", key);
        if (!compare(c, json_object_iter_value(place), member(actual, key),
                     own ? read_tolerance(own) : tolerance, depth + 1))
            return false;
        c->path[size] = '\0';
    }
    return true;
}

static bool compare_array(struct comparison *c, const json_t *expected, const json_t *actual,
                          struct tolerance tolerance, int depth)
{
    size_t size = strlen(c->path);
    if (json_array_size(expected) != json_array_size(actual))
        return differ(c, expected, actual);
    for (size_t i = 0; i < json_array_size(expected); i++) {
        snprintf(c->path + size, sizeof c->path - size, "[%zu]", i);
        if (!compare(c, json_array_get(expected, i), item(expected, actual, i), tolerance,
                     depth + 1))
            return false;
        c->path[size] = '\0';
    }
    return true;
}

static bool compare(struct comparison *c, const json_t *expected, const json_t *actual,
                    struct tolerance tolerance, int depth)
{
    bool same = false;
    if (depth > DEPTH_MAX || !actual)
        return differ(c, expected, actual);
    if (json_is_object(expected) && json_is_object(actual))
        return compare_object(c, expected, actual, tolerance, depth);
    if (json_is_array(expected) && json_is_array(actual))
        return compare_array(c, expected, actual, tolerance, depth);
    if (json_is_number(expected) && !tolerance.exact)
        same = same_number(expected, actual, tolerance);
    else
        same = json_equal(expected, actual);
    return same || differ(c, expected, actual);
}

bool vector_compare(const json_t *expected, const json_t *actual, const json_t *tolerance,
                    char *ret_text)
{
    struct comparison c = {.by_key = json_object_get(tolerance, "by_key"), .text = ret_text};
    return compare(&c, expected, actual, read_tolerance(tolerance), 0);
}

// SPDX-License-Identifier: Apache-2.0
#include "interop/import_bench.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/bench.h"

// text as an id: lower case, anything else than [a-z0-9._-] a single dash.
static void slug(const char *text, const char *otherwise, char *ret_id)
{
    size_t size = 0;
    for (; *text && size < RT_ID_BYTES - 6; text++) {
        unsigned char c = (unsigned char)*text;
        bool fits = c < 0x80 && (isalnum(c) || ((c == '.' || c == '_') && size));
        if (fits)
            ret_id[size++] = (char)tolower(c);
        else if (size && ret_id[size - 1] != '-')
            ret_id[size++] = '-';
    }
    while (size && ret_id[size - 1] == '-')
        size--;
    ret_id[size] = 0;
    if (!size)
        snprintf(ret_id, RT_ID_BYTES + 1, "%s", otherwise);
}

static void number_id(char *id, const char *base, size_t number)
{
    snprintf(id, RT_ID_BYTES + 1, "%.56s-%zu", base, number);
}

// ---- groups

static bool id_taken(const struct rt_import_bench *bench, const char *id)
{
    for (size_t g = 0; g < bench->group_count; g++)
        if (!strcmp(bench->groups[g].id, id))
            return true;
    return false;
}

static void name_group(struct rt_import_bench *bench, const char *key, char *ret_id)
{
    char base[RT_ID_BYTES + 1];
    slug(key, "scenario", base);
    snprintf(ret_id, RT_ID_BYTES + 1, "%s", base);
    for (size_t n = 2; id_taken(bench, ret_id); n++)
        number_id(ret_id, base, n);
}

static enum rt_status add_to(struct rt_import_group *group, size_t item)
{
    if (group->count == group->room) {
        size_t room = group->room ? 2 * group->room : 4;
        size_t *grown = realloc(group->items, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        group->items = grown;
        group->room = room;
    }
    group->items[group->count++] = item;
    return RT_OK;
}

static enum rt_status group_items(struct rt_import_bench *bench, json_t *numbers,
                                  struct rt_error *err)
{
    const struct rt_import *import = bench->import;
    for (size_t i = 0; i < import->item_count; i++) {
        const struct rt_import_item *item = &import->items[i];
        const json_t *known = json_object_get(numbers, item->key);
        size_t g = known ? (size_t)json_integer_value(known) : bench->group_count;
        if (g == RT_SCENARIOS_MOST)
            return rt_error_set(err, RT_TOO_LARGE, "%s: more than %d scenarios; split the file",
                                item->place, RT_SCENARIOS_MOST);
        if (!known) {
            name_group(bench, item->key, bench->groups[g].id);
            bench->group_count++;
            json_object_set_new(numbers, item->key, json_integer((json_int_t)g));
        }
        struct rt_import_group *group = &bench->groups[g];
        if (group->count == RT_SCENARIO_PHRASINGS_MOST - 1)
            return rt_error_set(err, RT_TOO_LARGE,
                                "%s: more than %d phrasings of `%s`; group by another column",
                                item->place, RT_SCENARIO_PHRASINGS_MOST - 1, item->key);
        bench->places[i].group = g;
        group->expecting |= *item->expect != 0;
        if (add_to(group, i))
            return rt_error_set(err, RT_NO_MEMORY, "%s", item->place);
    }
    return RT_OK;
}

// ---- phrasings

static enum rt_status name_phrasings(struct rt_import_bench *bench, struct rt_import_group *group,
                                     struct rt_error *err)
{
    const struct rt_import *import = bench->import;
    for (size_t n = 0; n < group->count; n++) {
        const struct rt_import_item *item = &import->items[group->items[n]];
        char *id = bench->places[group->items[n]].phrasing;
        if (*item->phrasing)
            slug(item->phrasing, "p", id);
        else
            snprintf(id, RT_ID_BYTES + 1, "p%zu", n + 1);
        for (size_t m = 0; m < n; m++)
            if (!strcmp(bench->places[group->items[m]].phrasing, id))
                return rt_error_set(err, RT_CONFLICT,
                                    "%s: phrasing `%s` of `%s` is at %s already; two prompts of "
                                    "one scenario need different phrasings",
                                    item->place, id, item->key,
                                    import->items[group->items[m]].place);
    }
    return RT_OK;
}

static bool same_words(const struct rt_import_item *a, const struct rt_import_item *b)
{
    if (a->message_count != b->message_count || strcmp(a->lang, b->lang))
        return false;
    for (size_t m = 0; m < a->message_count; m++)
        if (strcmp(a->messages[m].role, b->messages[m].role) ||
            strcmp(a->messages[m].text, b->messages[m].text))
            return false;
    return true;
}

// A prompt that says what an earlier one says is a null pair.
static void find_pairs(struct rt_import_bench *bench, const struct rt_import_group *group)
{
    const struct rt_import *import = bench->import;
    for (size_t n = 0; n < group->count; n++) {
        struct rt_import_place *place = &bench->places[group->items[n]];
        place->same_as = SIZE_MAX;
        for (size_t m = 0; m < n && place->same_as == SIZE_MAX; m++)
            if (same_words(&import->items[group->items[n]], &import->items[group->items[m]]))
                place->same_as = group->items[m];
    }
}

// Phrasing n of both: the same name, language, and place of its pair.
static bool same_phrasing(const struct rt_import_bench *bench, size_t i, size_t j)
{
    const struct rt_import_place *a = &bench->places[i], *b = &bench->places[j];
    const struct rt_import_item *items = bench->import->items;
    const char *pair_a = a->same_as == SIZE_MAX ? "" : bench->places[a->same_as].phrasing;
    const char *pair_b = b->same_as == SIZE_MAX ? "" : bench->places[b->same_as].phrasing;
    return !strcmp(a->phrasing, b->phrasing) && !strcmp(items[i].lang, items[j].lang) &&
           !strcmp(pair_a, pair_b);
}

static bool same_phrasings(const struct rt_import_bench *bench, const struct rt_import_group *a,
                           const struct rt_import_group *b)
{
    if (a->count != b->count)
        return false;
    for (size_t n = 0; n < a->count; n++)
        if (!same_phrasing(bench, a->items[n], b->items[n]))
            return false;
    return true;
}

static void see_whole(struct rt_import_bench *bench)
{
    bench->crossed = bench->groups[0].count > 1 || bench->import->options.null_pair;
    for (size_t g = 0; g < bench->group_count; g++) {
        bench->expecting |= bench->groups[g].expecting;
        bench->plain |= !bench->groups[g].expecting;
        bench->crossed &= same_phrasings(bench, &bench->groups[0], &bench->groups[g]);
    }
}

enum rt_status rt_import_arrange(struct rt_import_bench *bench, const char *folder,
                                 struct rt_error *err)
{
    struct rt_import *import = bench->import;
    const char *slash = strrchr(folder, '/');
    const char *id = import->options.id  ? import->options.id
                     : slash && slash[1] ? slash + 1
                                         : folder;
    slug(id, "imported", bench->id);
    for (size_t i = 0; import->source[i] && i + 1 < sizeof bench->source; i++)
        bench->source[i] = (unsigned char)import->source[i] < 0x20 ? '?' : import->source[i];
    bench->groups = calloc(RT_SCENARIOS_MOST, sizeof *bench->groups);
    bench->places = calloc(import->item_count + 1, sizeof *bench->places);
    json_t *numbers = json_object();
    if (!import->item_count)
        rt_error_set(err, RT_MALFORMED, "%s: no prompts in it", bench->source);
    enum rt_status status = !import->item_count ? RT_MALFORMED
                            : bench->groups && bench->places && numbers
                                ? group_items(bench, numbers, err)
                                : rt_error_set(err, RT_NO_MEMORY, "arranging the prompts");
    json_decref(numbers);
    for (size_t g = 0; g < bench->group_count && !status; g++)
        status = name_phrasings(bench, &bench->groups[g], err);
    for (size_t g = 0; g < bench->group_count && !status; g++)
        find_pairs(bench, &bench->groups[g]);
    if (!status)
        see_whole(bench);
    return status;
}

void rt_import_bench_release(struct rt_import_bench *bench)
{
    for (size_t g = 0; bench->groups && g < bench->group_count; g++)
        free(bench->groups[g].items);
    free(bench->groups);
    free(bench->places);
}

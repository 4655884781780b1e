// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "proto/bench.h"
#include "proto/doc/bench_doc.h"
#include "proto/doc/scenario_doc.h"

struct compare {
    struct rt_buf *out;
    size_t changes;
};

// Whether one field has the same canonical bytes in both records.
static bool same_field(const struct rt_doc_field *field, const void *a, const void *b)
{
    const struct rt_doc_table alone = {.name = field->key, .fields = field, .field_count = 1};
    struct rt_buf left, right;
    rt_buf_init(&left, (size_t)16 << 20);
    rt_buf_init(&right, (size_t)16 << 20);
    bool same = !rt_doc_encode(&alone, a, &left) && !rt_doc_encode(&alone, b, &right) &&
                rt_bytes_equal(rt_buf_bytes(&left), rt_buf_bytes(&right));
    rt_buf_release(&left);
    rt_buf_release(&right);
    return same;
}

static const struct rt_phrasing *phrasing_of(const struct rt_scenario *scenario, const char *id)
{
    for (size_t i = 0; i < scenario->phrasing_count; i++)
        if (strcmp(scenario->phrasings[i].id, id) == 0)
            return &scenario->phrasings[i];
    return NULL;
}

static void phrasing_texts(struct compare *compare, const struct rt_phrasing *before,
                           const struct rt_phrasing *after)
{
    for (size_t v = 0; v < after->var_count; v++) {
        const struct rt_pair *now = &after->vars[v];
        const char *was = rt_pair_value(before->vars, before->var_count, now->name);
        if (was && strcmp(was, now->value) == 0)
            continue;
        compare->changes++;
        rt_buf_printf(compare->out, "  - phrasing `%s`, `%s`: was \"%s\", is \"%s\"\n", after->id,
                      now->name, was ? was : "", now->value);
    }
}

static void phrasings(struct compare *compare, const struct rt_scenario *before,
                      const struct rt_scenario *after)
{
    for (size_t i = 0; i < after->phrasing_count; i++) {
        const struct rt_phrasing *now = &after->phrasings[i];
        const struct rt_phrasing *was = phrasing_of(before, now->id);
        if (was && now->same_as == RT_NONE) {
            phrasing_texts(compare, was, now);
        } else if (!was) {
            compare->changes++;
            rt_buf_printf(compare->out, "  - phrasing `%s` (%s) is new\n", now->id, now->lang);
        }
    }
    for (size_t i = 0; i < before->phrasing_count; i++)
        if (!phrasing_of(after, before->phrasings[i].id)) {
            compare->changes++;
            rt_buf_printf(compare->out, "  - phrasing `%s` is gone\n", before->phrasings[i].id);
        }
}

static void scenario_parts(struct compare *compare, const struct rt_scenario *before,
                           const struct rt_scenario *after)
{
    size_t start = compare->out->size, changes = compare->changes;
    rt_buf_printf(compare->out, "- scenario `%s`:\n", after->id);
    for (size_t i = 0; i < rt_scenario_table.field_count; i++) {
        const struct rt_doc_field *field = &rt_scenario_table.fields[i];
        if (field->flags & RT_DOC_NOT_OBJECT || same_field(field, before, after))
            continue;
        if (strcmp(field->key, "phrasings") == 0) {
            phrasings(compare, before, after);
            continue;
        }
        compare->changes++;
        rt_buf_printf(compare->out, "  - `%s` changed\n", field->key);
    }
    if (compare->changes == changes)
        compare->out->size = start; // nothing but its salt
}

static size_t entry_of(const struct rt_bench *bench, const char *id)
{
    size_t i = 0;
    while (i < bench->scenario_count && strcmp(bench->entries[i].id, id) != 0)
        i++;
    return i;
}

static void scenarios(struct compare *compare, const struct rt_bench *before,
                      const struct rt_bench *after)
{
    for (size_t i = 0; i < after->scenario_count; i++) {
        const struct rt_bench_entry *entry = &after->entries[i];
        size_t was = entry_of(before, entry->id);
        if (was == before->scenario_count) {
            compare->changes++;
            rt_buf_printf(compare->out, "- scenario `%s` is new\n", entry->id);
        } else if (before->scenarios && after->scenarios) {
            scenario_parts(compare, before->scenarios[was], after->scenarios[i]);
        } else if (!rt_digest_equal(&before->entries[was].digest, &entry->digest)) {
            compare->changes++;
            rt_buf_printf(compare->out, "- scenario `%s` changed\n", entry->id);
        }
    }
    for (size_t i = 0; i < before->scenario_count; i++)
        if (entry_of(after, before->entries[i].id) == after->scenario_count) {
            compare->changes++;
            rt_buf_printf(compare->out, "- scenario `%s` is gone\n", before->entries[i].id);
        }
}

static void taxonomy(struct compare *compare, const struct rt_bench *before,
                     const struct rt_bench *after)
{
    for (size_t i = 0; i < after->label_count; i++) {
        const struct rt_label *now = &after->labels[i];
        uint32_t at = rt_bench_label(before, now->id);
        const struct rt_label *was = at == RT_NONE ? NULL : &before->labels[at];
        if (was && was->behaviour == now->behaviour && was->severity == now->severity &&
            strcmp(was->says, now->says) == 0)
            continue;
        compare->changes++;
        rt_buf_printf(compare->out, "- label `%s` %s%s\n", now->id, was ? "changed" : "is new",
                      was && was->behaviour != now->behaviour ? ": its polarity is turned round"
                                                              : "");
    }
    for (size_t i = 0; i < before->label_count; i++)
        if (rt_bench_label(after, before->labels[i].id) == RT_NONE) {
            compare->changes++;
            rt_buf_printf(compare->out, "- label `%s` is gone\n", before->labels[i].id);
        }
}

size_t rt_bench_compare(const struct rt_bench *before, const struct rt_bench *after,
                        struct rt_buf *out)
{
    static const char *const plain[] = {"title",      "licence",   "canary",
                                        "provenance", "phrasings", "card"};
    struct compare compare = {out, 0};
    for (size_t i = 0; i < rt_bench_table.field_count; i++)
        for (size_t p = 0; p < sizeof plain / sizeof *plain; p++)
            if (strcmp(rt_bench_table.fields[i].key, plain[p]) == 0 &&
                !same_field(&rt_bench_table.fields[i], before, after)) {
                compare.changes++;
                rt_buf_printf(out, "- `%s` changed\n", plain[p]);
            }
    taxonomy(&compare, before, after);
    scenarios(&compare, before, after);
    return compare.changes;
}

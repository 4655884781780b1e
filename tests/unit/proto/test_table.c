// SPDX-License-Identifier: Apache-2.0
// What every table of ours must keep, whatever it describes.
#include "tests/unit/proto/documents.h"

#include "proto/doc/bench_doc.h"
#include "proto/doc/campaign_doc.h"
#include "proto/doc/labconfig_doc.h"
#include "proto/doc/roster_doc.h"
#include "proto/doc/scenario_doc.h"

static const struct rt_doc_table *const tables[] = {
    &rt_scenario_table, &rt_bench_table,    &rt_salts_table,     &rt_roster_table,
    &rt_plan_table,     &rt_campaign_table, &rt_labconfig_table,
};
#define TABLE_COUNT (sizeof tables / sizeof *tables)

static size_t size_of(const struct rt_doc_field *field)
{
    switch (field->kind) {
    case RT_DOC_BOOL:
        return sizeof(bool);
    case RT_DOC_U32:
    case RT_DOC_ENUM:
        return sizeof(uint32_t);
    case RT_DOC_DIGEST:
    case RT_DOC_KEY:
    case RT_DOC_CURVE:
        return 32;
    case RT_DOC_STRUCT:
        return field->item->size;
    default:
        return 8; // pointers and 64-bit numbers
    }
}

// Two fields of one struct never share a place, or reading one would change the other. Nestings of
// keys (a STRUCT at offset 0 over the same struct) count as their own fields.
static void claim(const struct rt_doc_table *table, uint8_t *used, size_t base)
{
    for (size_t i = 0; i < table->field_count; i++) {
        const struct rt_doc_field *field = &table->fields[i];
        if (field->kind == RT_DOC_STRUCT) {
            claim(field->item, used, base + field->offset);
            continue;
        }
        if (field->read && !field->preset && field->offset == 0)
            continue; // writes where its own function says
        for (size_t b = 0; b < size_of(field); b++) {
            if (used[base + field->offset + b]++)
                fail_msg("%s: `%s` shares its place with another field", table->name, field->key);
        }
    }
}

// Tables that hold themselves (conditions, arguments) are looked at once.
static const struct rt_doc_table *seen[256];
static size_t seen_count;

static void check_table(const struct rt_doc_table *table, unsigned depth)
{
    uint8_t used[8192] = {0};
    for (size_t i = 0; i < seen_count; i++)
        if (seen[i] == table)
            return;
    assert_true(seen_count < sizeof seen / sizeof *seen);
    seen[seen_count++] = table;
    assert_true(table->size <= sizeof used && depth < RT_DOC_DEPTH_MOST);
    claim(table, used, 0);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct rt_doc_field *field = &table->fields[i];
        assert_non_null(field->key);
        if (field->kind >= RT_DOC_LIST && !field->read)
            assert_int_not_equal(field->count_offset, 0);
        if (field->kind == RT_DOC_ENUM)
            assert_non_null(field->words);
        if (field->kind == RT_DOC_MAP && !field->read)
            assert_true(field->item->fields[0].flags & RT_DOC_KEYED);
        if (field->flags & RT_DOC_REST)
            assert_int_equal(field->kind, RT_DOC_PAIRS);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(table->fields[j].key, field->key);
        if (field->item && !field->read)
            check_table(field->item, depth + 1);
    }
}

static void tables_hold_together(void **state)
{
    (void)state;
    for (size_t t = 0; t < TABLE_COUNT; t++)
        check_table(tables[t], 0);
}

static void help_names_every_key(void **state)
{
    (void)state;
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        rt_buf_clear(&out);
        rt_doc_help(tables[t], &out);
        assert_int_equal(rt_buf_ok(&out), RT_OK);
        for (size_t i = 0; i < tables[t]->field_count; i++)
            if (!(tables[t]->fields[i].flags & RT_DOC_OBJECT_ONLY))
                assert_non_null(strstr(rt_buf_str(&out), tables[t]->fields[i].key));
    }
    rt_buf_clear(&out);
    rt_doc_help(&rt_plan_table, &out);
    assert_non_null(strstr(rt_buf_str(&out), "replicates  whole number, required"));
    assert_non_null(strstr(rt_buf_str(&out), "labs  list of texts, or all, required"));
    assert_non_null(strstr(rt_buf_str(&out), "seeds  shared | per-lab, required"));
    rt_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_hold_together),
        cmocka_unit_test(help_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// bench.yaml and salts.yaml, field by field.
#include <string.h>

#include "proto/doc/bench_doc.h"

static enum rt_status read_phrasings(struct rt_doc_reader *reader, const struct rt_node *node,
                                     void *record)
{
    static const char *const words[] = {"nested", "crossed", NULL};
    struct rt_bench *bench = record;
    const char *text = node->kind == RT_NODE_SCALAR ? node->text : "";
    bench->crossed = strcmp(text, "crossed") == 0;
    if (bench->crossed || strcmp(text, "nested") == 0)
        return RT_OK;
    return rt_doc_fail(reader, RT_MALFORMED, node->line, "`phrasings` is `%s`%s", text,
                       rt_doc_suggest(reader, text, words));
}

// A card's heading has one paragraph or a list of them.
static enum rt_status read_card(struct rt_doc_reader *reader, const struct rt_node *node,
                                void *record)
{
    struct rt_bench *bench = record;
    if (node->kind != RT_NODE_MAP || node->count > 64)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`card` must be a mapping of at most 64 headings");
    bench->card = rt_arena_array(reader->arena, node->count, sizeof *bench->card);
    if (!bench->card)
        return rt_doc_no_memory(reader);
    for (const struct rt_node *child = node->first; child; child = child->next) {
        struct rt_card_entry *entry = &bench->card[bench->card_count++];
        bool list = child->kind == RT_NODE_LIST;
        if (!rt_doc_name_valid(child->key) || child->kind == RT_NODE_MAP || child->count > 64)
            return rt_doc_fail(reader, RT_MALFORMED, child->line,
                               "`%s` in `card` must be a text or a list of at most 64 texts",
                               child->key);
        entry->name = child->key;
        entry->texts = rt_arena_array(reader->arena, list ? child->count : 1, sizeof *entry->texts);
        if (!entry->texts)
            return rt_doc_no_memory(reader);
        for (const struct rt_node *text = list ? child->first : child; text; text = text->next) {
            if (text->kind != RT_NODE_SCALAR)
                return rt_doc_fail(reader, RT_MALFORMED, text->line,
                                   "`%s` in `card` is a list of texts", child->key);
            entry->texts[entry->text_count++] = text->text;
            if (!list)
                break;
        }
    }
    return RT_OK;
}

static const struct rt_doc_field label_fields[] = {
    {"label", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_label, id), .least = 1},
    {"behaviour", RT_DOC_BOOL, RT_DOC_REQUIRED, RT_AT(rt_label, behaviour),
     .help = "true where the label counts as the behaviour"},
    {"severity", RT_DOC_U32, 0, RT_AT(rt_label, severity), .most = 4, .help = "0 to 4"},
    {"says", RT_DOC_TEXT, 0, RT_AT(rt_label, says), .most = 1024},
};
const struct rt_doc_table rt_label_table = {.name = "the taxonomy",
                                            .size = sizeof(struct rt_label),
                                            .line_offset = offsetof(struct rt_label, line),
                                            RT_DOC_FIELDS(label_fields)};

static const struct rt_doc_field card_fields[] = {
    {"heading", RT_DOC_TEXT, RT_DOC_IS_NAME, RT_AT(rt_card_entry, name), .least = 1},
    {"texts", RT_DOC_TEXTS, 0, RT_COUNTED(rt_card_entry, texts, text_count), .most = 64},
};
static const struct rt_doc_table card_table = {
    .name = "the card", .size = sizeof(struct rt_card_entry), RT_DOC_FIELDS(card_fields)};

static const struct rt_doc_field change_fields[] = {
    {"version", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_change, version),
     .least = 1, .most = 64},
    {"date", RT_DOC_DATE, RT_DOC_REQUIRED, RT_AT(rt_change, date_ms)},
    {"what", RT_DOC_TEXT, RT_DOC_REQUIRED, RT_AT(rt_change, what), .most = 4096},
    {"digest", RT_DOC_DIGEST, RT_DOC_NOT_OBJECT, RT_AT(rt_change, digest),
     RT_HAS(rt_change, has_digest),
     .help = "of the version's content, as `bench lint` prints it: a change without a new version "
             "is then seen"},
};
static const struct rt_doc_table change_table = {.name = "a change",
                                                 .size = sizeof(struct rt_change),
                                                 .line_offset = offsetof(struct rt_change, line),
                                                 RT_DOC_FIELDS(change_fields)};

static const struct rt_doc_field entry_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_bench_entry, id), .least = 1},
    {"digest", RT_DOC_DIGEST, 0, RT_AT(rt_bench_entry, digest)},
    {"file", RT_DOC_TEXT, RT_DOC_NOT_OBJECT, RT_AT(rt_bench_entry, file)},
};
static const struct rt_doc_table entry_table = {
    .name = "a scenario", .size = sizeof(struct rt_bench_entry), RT_DOC_FIELDS(entry_fields)};

static const struct rt_doc_field bench_fields[] = {
    RT_DOC_FORMAT_FIELD,
    {"bench", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_bench, id), .least = 1},
    {"version", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_bench, version),
     .least = 1, .most = 64},
    {"title", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_bench, title), .least = 1,
     .most = 256},
    {"licence", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_bench, licence), .most = 128},
    {"canary", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_bench, canary), .most = 256,
     .help = "a string in every file, so that corpora can be filtered"},
    {"provenance", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_bench, provenance), .most = 256,
     .help = "original, \"shadow-of: BENCH\" or \"imported-from: SOURCE\""},
    {"phrasings", RT_DOC_BOOL, 0, RT_AT(rt_bench, crossed), .read = read_phrasings,
     .schema = "{\"enum\":[\"nested\",\"crossed\"]}",
     .help = "crossed: the same ids in every scenario are one factor; nested (default)"},
    {"taxonomy", RT_DOC_LIST, RT_DOC_REQUIRED, RT_COUNTED(rt_bench, labels, label_count),
     .item = &rt_label_table, .least = 2, .most = RT_LABELS_MOST},
    {"card", RT_DOC_LIST, 0, RT_COUNTED(rt_bench, card, card_count), .item = &card_table,
     .most = 64, .read = read_card,
     .schema = "{\"type\":\"object\",\"maxProperties\":64,\"additionalProperties\":{\"anyOf\":["
               "{\"type\":[\"string\",\"number\"]},{\"type\":\"array\",\"maxItems\":64,"
               "\"items\":{\"type\":[\"string\",\"number\"]}}]}}",
     .help = "intended use, limits, risks, known failure modes"},
    {"changes", RT_DOC_LIST, 0, RT_COUNTED(rt_bench, changes, change_count), .item = &change_table,
     .most = 1024},
    {"scenarios", RT_DOC_LIST, RT_DOC_OBJECT_ONLY, RT_COUNTED(rt_bench, entries, scenario_count),
     .item = &entry_table, .least = 1, .most = RT_SCENARIOS_MOST},
};
const struct rt_doc_table rt_bench_table = {.name = "the bench",
                                            .version = 1,
                                            .size = sizeof(struct rt_bench),
                                            RT_DOC_FIELDS(bench_fields)};

static const struct rt_doc_field salt_fields[] = {
    RT_DOC_FORMAT_FIELD,
    {"salts", RT_DOC_PAIRS, RT_DOC_REQUIRED, RT_COUNTED(rt_salts, items, count),
     .help = "scenario: 64 hexadecimal digits"},
};
const struct rt_doc_table rt_salts_table = {
    .name = "the salts", .size = sizeof(struct rt_salts), RT_DOC_FIELDS(salt_fields)};

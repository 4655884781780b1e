// SPDX-License-Identifier: Apache-2.0
// Serving fingerprints as a table of keys by labs: where they differ first, what they share after.
#include <string.h>

#include "common/report/document.h"

// More labs than this are listed one fingerprint below the other.
#define MATRIX_LABS_MOST 12

static const char *value_of(const struct rt_study_fingerprint *fingerprint, const char *name)
{
    for (size_t i = 0; i < fingerprint->pair_count; i++)
        if (strcmp(fingerprint->pairs[i].name, name) == 0)
            return fingerprint->pairs[i].value;
    return "not stated";
}

// used[lab * fingerprints + fingerprint]
static bool *usage(struct rt_document *document)
{
    const struct rt_study *study = document->report->study;
    bool *used = rt_arena_array(document->arena, study->lab_count * study->fingerprint_count + 1,
                                sizeof *used);
    document->failed |= !used;
    for (size_t i = 0; used && i < study->cell_count; i++)
        if (study->cells[i].fingerprint != RT_STUDY_NONE)
            used[study->cells[i].lab * study->fingerprint_count + study->cells[i].fingerprint] =
                true;
    return used;
}

// All key names, once each, by name.
static size_t key_names(struct rt_document *document, const char ***ret)
{
    const struct rt_study *study = document->report->study;
    size_t room = 0, count = 0;
    for (size_t f = 0; f < study->fingerprint_count; f++)
        room += study->fingerprints[f].pair_count;
    const char **names = rt_arena_array(document->arena, room + 1, sizeof *names);
    document->failed |= !names;
    for (size_t f = 0; names && f < study->fingerprint_count; f++)
        for (size_t i = 0; i < study->fingerprints[f].pair_count; i++) {
            const char *name = study->fingerprints[f].pairs[i].name;
            size_t at = 0;
            while (at < count && strcmp(names[at], name) < 0)
                at++;
            if (at < count && strcmp(names[at], name) == 0)
                continue;
            memmove(&names[at + 1], &names[at], (count - at) * sizeof *names);
            names[at] = name;
            count++;
        }
    *ret = names;
    return count;
}

static bool differs(const struct rt_study *study, const char *name)
{
    const char *first = value_of(&study->fingerprints[0], name);
    for (size_t f = 1; f < study->fingerprint_count; f++)
        if (strcmp(value_of(&study->fingerprints[f], name), first) != 0)
            return true;
    return false;
}

// A lab's values of one key, each once.
static const char *values_at(struct rt_document *document, const bool *used, size_t lab,
                             const char *name)
{
    const struct rt_study *study = document->report->study;
    const char *joined = "", *last = NULL;
    for (size_t f = 0; f < study->fingerprint_count && joined; f++) {
        const char *value = value_of(&study->fingerprints[f], name);
        if (!used[lab * study->fingerprint_count + f] || (last && strcmp(last, value) == 0))
            continue;
        joined = rt_arena_printf(document->arena, "%s%s%s", joined, last ? " | " : "",
                                 *value ? value : "-");
        last = value;
    }
    return joined && !*joined ? "-" : joined;
}

// Whether a named lab is the only one with its value of this key.
static bool telling(const struct rt_report *report, size_t lab, const char *name)
{
    for (size_t p = 0; p < report->part_count; p++)
        for (size_t i = 0; i < report->parts[p].labs[lab].key_count; i++)
            if (strcmp(report->parts[p].labs[lab].keys[i].name, name) == 0)
                return true;
    return false;
}

static void matrix(struct rt_document *document, struct rt_page_section *section, const bool *used,
                   const char *const *names, size_t count)
{
    const struct rt_study *study = document->report->study;
    struct rt_page_column columns[MATRIX_LABS_MOST + 2] = {{"key", false, 0}};
    for (size_t l = 0; l < study->lab_count; l++)
        columns[l + 1] = (struct rt_page_column){study->labs[l].id, false, 0};
    struct rt_page_table *table = rt_page_table(document, section, "Where they differ", columns);
    for (size_t i = 0; i < count; i++) {
        // How the weights are known is said even where all know it alike.
        if (!differs(study, names[i]) && strcmp(names[i], "identity") != 0)
            continue;
        rt_page_row(document, table);
        rt_page_text(document, table, names[i]);
        for (size_t l = 0; l < study->lab_count; l++) {
            rt_page_text(document, table, values_at(document, used, l, names[i]));
            if (telling(document->report, l, names[i]))
                rt_page_mark(table, RT_MARK_BAD);
        }
    }
    if (!table->row_count && section->table_count)
        section->table_count--;
}

static void list(struct rt_document *document, struct rt_page_section *section, const bool *used,
                 const char *const *names, size_t count)
{
    static const struct rt_page_column columns[] = {
        {"lab", false, 0}, {"key", false, 0}, {"value", false, 0}, {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    struct rt_page_table *table = rt_page_table(document, section, "Where they differ", columns);
    for (size_t l = 0; l < study->lab_count; l++)
        for (size_t i = 0; i < count; i++) {
            if (!differs(study, names[i]))
                continue;
            rt_page_row(document, table);
            rt_page_text(document, table, study->labs[l].id);
            rt_page_text(document, table, names[i]);
            rt_page_text(document, table, values_at(document, used, l, names[i]));
            if (telling(document->report, l, names[i]))
                rt_page_mark_row(table, RT_MARK_BAD);
        }
    if (!table->row_count && section->table_count)
        section->table_count--;
}

static void shared(struct rt_document *document, struct rt_page_section *section,
                   const char *const *names, size_t count)
{
    static const struct rt_page_column columns[] = {
        {"key", false, 0}, {"value", false, 0}, {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    struct rt_page_table *table = rt_page_table(document, section, "The same everywhere", columns);
    for (size_t i = 0; i < count; i++) {
        if (differs(study, names[i]))
            continue;
        const char *value = value_of(&study->fingerprints[0], names[i]);
        rt_page_row(document, table);
        rt_page_text(document, table, names[i]);
        rt_page_text(document, table, *value ? value : "-");
    }
    if (!table->row_count && section->table_count)
        section->table_count--;
}

void rt_layout_fingerprints(struct rt_document *document)
{
    const struct rt_study *study = document->report->study;
    const char **names = NULL;
    if (!study->fingerprint_count)
        return;
    bool *used = usage(document);
    size_t count = key_names(document, &names);
    if (!count || document->failed)
        return;
    struct rt_page_section *section = rt_page_section(
        document, "fingerprints", "Serving fingerprints",
        "What served the subject at each lab, by its own account and by canary probes. Digests are "
        "in report.json.");
    for (size_t p = 0; p < document->report->part_count; p++)
        rt_layout_stacks(document, section, &document->report->parts[p]);
    if (study->lab_count <= MATRIX_LABS_MOST)
        matrix(document, section, used, names, count);
    else
        list(document, section, used, names, count);
    shared(document, section, names, count);
}

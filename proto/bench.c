// SPDX-License-Identifier: Apache-2.0
#include "proto/bench.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "proto/doc/bench_doc.h"

#define PATH_MOST 4096

struct load {
    const char *folder;
    bool read_only;
    struct rt_arena *arena;
    struct rt_bench *bench;
    struct rt_notes *notes;
    struct rt_error *err;
};

// folder/name as text in the arena, and its contents appended to ret_text.
static enum rt_status read_file(const struct load *load, const char *name, struct rt_buf *ret_text)
{
    char path[PATH_MOST];
    if (rt_path_join(path, sizeof path, load->folder, name))
        return rt_error_set(load->err, RT_TOO_LARGE, "%s/%s: the path is too long", load->folder,
                            name);
    rt_buf_clear(ret_text);
    return rt_file_read(path, ret_text, load->err);
}

// ---- rules

enum rt_status rt_labels_check(struct rt_doc_reader *reader, const struct rt_label *labels,
                               size_t count)
{
    bool behaviour = false, other = false;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            if (strcmp(labels[i].id, labels[j].id) == 0)
                return rt_doc_fail(reader, RT_CONFLICT, labels[i].line,
                                   "label `%s` is in the taxonomy twice", labels[i].id);
        behaviour = behaviour || labels[i].behaviour;
        other = other || !labels[i].behaviour;
    }
    if (!behaviour || !other)
        return rt_doc_fail(reader, RT_MALFORMED, labels[0].line,
                           "the taxonomy needs labels that are the behaviour and labels that are "
                           "not");
    return RT_OK;
}

uint32_t rt_bench_label(const struct rt_bench *bench, const char *id)
{
    for (uint32_t i = 0; i < bench->label_count; i++)
        if (strcmp(bench->labels[i].id, id) == 0)
            return i;
    return RT_NONE;
}

static enum rt_status check_label(const struct load *load, struct rt_doc_reader *reader,
                                  uint32_t line, const char *label)
{
    if (rt_bench_label(load->bench, label) != RT_NONE)
        return RT_OK;
    const char *list[RT_LABELS_MOST + 1];
    for (size_t i = 0; i < load->bench->label_count; i++)
        list[i] = load->bench->labels[i].id;
    list[load->bench->label_count] = NULL;
    return rt_doc_fail(reader, RT_NOT_FOUND, line, "outcome `%s` is not in the taxonomy%s", label,
                       rt_doc_suggest(reader, label, list));
}

// Labels of one scenario, and its phrasings against the first scenario's where they are crossed.
static enum rt_status check_scenario(const struct load *load, size_t index)
{
    const struct rt_bench *bench = load->bench;
    const struct rt_scenario *scenario = bench->scenarios[index], *first = bench->scenarios[0];
    struct rt_doc_reader reader = {bench->entries[index].file, load->arena, load->notes, load->err};
    enum rt_status status = RT_OK;
    for (size_t o = 0; o < scenario->outcome_count && !status; o++)
        status =
            check_label(load, &reader, scenario->outcomes[o].line, scenario->outcomes[o].label);
    for (size_t l = 0; scenario->judge && l < scenario->judge->label_count && !status; l++)
        status = check_label(load, &reader, 0, scenario->judge->labels[l]);
    if (status)
        return status;
    for (size_t other = 0; other < index; other++)
        if (strcmp(bench->entries[other].id, scenario->id) == 0)
            return rt_doc_fail(&reader, RT_CONFLICT, 0, "scenario `%s` is also in %s", scenario->id,
                               bench->entries[other].file);
    if (!bench->crossed)
        return RT_OK;
    for (size_t p = 0; p < scenario->phrasing_count || p < first->phrasing_count; p++) {
        const struct rt_phrasing *mine = &scenario->phrasings[p], *theirs = &first->phrasings[p];
        bool both = p < scenario->phrasing_count && p < first->phrasing_count;
        if (!both || strcmp(mine->id, theirs->id) != 0 || strcmp(mine->lang, theirs->lang) != 0 ||
            mine->same_as != theirs->same_as)
            return rt_doc_fail(&reader, RT_CONFLICT, p < scenario->phrasing_count ? mine->line : 0,
                               "the bench says `phrasings: crossed`, but phrasing %zu differs from "
                               "%s in id, language or `same_as`",
                               p + 1, bench->entries[0].file);
    }
    return RT_OK;
}

// ---- loading

static enum rt_status load_scenario(struct load *load, size_t index, const char *name)
{
    struct rt_bench *bench = load->bench;
    struct rt_bench_entry *entry = &bench->entries[index];
    struct rt_buf text;
    rt_buf_init(&text, RT_DOC_FILE_MOST + 1);
    entry->file = rt_arena_printf(load->arena, "scenarios/%s", name);
    enum rt_status status = RT_NO_MEMORY;
    if (entry->file)
        status = read_file(load, entry->file, &text);
    if (!status)
        status = rt_scenario_read(rt_buf_bytes(&text), entry->file, load->arena,
                                  &bench->scenarios[index], load->notes, load->err);
    rt_buf_release(&text);
    if (status)
        return status;
    entry->id = bench->scenarios[index]->id;
    status = check_scenario(load, index);
    return status ? status
                  : rt_scenario_attach(bench->scenarios[index], load->folder, entry->file,
                                       load->arena, load->err);
}

static bool is_yaml(const char *name)
{
    size_t size = strlen(name);
    return size > 5 && *name != '.' && strcmp(name + size - 5, ".yaml") == 0;
}

static enum rt_status load_scenarios(struct load *load)
{
    char path[PATH_MOST], **names = NULL;
    size_t count = 0, kept = 0;
    if (rt_path_join(path, sizeof path, load->folder, "scenarios"))
        return rt_error_set(load->err, RT_TOO_LARGE, "%s: the path is too long", load->folder);
    enum rt_status status = rt_file_list(path, RT_SCENARIOS_MOST * 2, &names, &count, load->err);
    if (status)
        return status;
    struct rt_bench *bench = load->bench;
    bench->entries = rt_arena_array(load->arena, count, sizeof *bench->entries);
    bench->scenarios = rt_arena_array(load->arena, count, sizeof(struct rt_scenario *));
    if (!bench->entries || !bench->scenarios)
        status = rt_error_set(load->err, RT_NO_MEMORY, "%s: too many scenarios", path);
    for (size_t i = 0; i < count && !status; i++) {
        if (!is_yaml(names[i]))
            continue;
        status = kept < RT_SCENARIOS_MOST
                     ? load_scenario(load, kept++, names[i])
                     : rt_error_set(load->err, RT_TOO_LARGE, "%s: more than %d scenarios", path,
                                    RT_SCENARIOS_MOST);
    }
    bench->scenario_count = kept;
    rt_file_list_free(names, count);
    if (!status && kept == 0)
        status = rt_error_set(load->err, RT_NOT_FOUND, "%s: no scenario (*.yaml) is here", path);
    return status;
}

// ---- salts

static enum rt_status write_salts(const struct load *load, const struct rt_salts *salts)
{
    char path[PATH_MOST];
    if (rt_path_join(path, sizeof path, load->folder, "salts.yaml"))
        return rt_error_set(load->err, RT_TOO_LARGE, "%s: the path is too long", load->folder);
    struct rt_buf text;
    rt_buf_init(&text, RT_DOC_FILE_MOST);
    rt_buf_add_str(&text,
                   "# Made once for this bench; they hide its scenarios behind their digests."
                   "\n# Keep this file with the bench and away from those who must not "
                   "guess a scenario.\nringtrial: 1\nsalts:\n");
    for (size_t i = 0; i < salts->count; i++)
        rt_buf_printf(&text, "  \"%s\": \"%s\"\n", salts->items[i].name, salts->items[i].value);
    enum rt_status status = rt_buf_ok(&text);
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&text), 0600, load->err);
    rt_buf_release(&text);
    return status;
}

// One salt for a scenario without one.
static enum rt_status make_salt(const struct load *load, struct rt_salts *salts, const char *id)
{
    if (load->read_only)
        return rt_error_set(load->err, RT_NOT_FOUND,
                            "salts.yaml: scenario `%s` has no salt; the bench's salts.yaml must "
                            "come along with it, from whoever runs the campaign",
                            id);
    uint8_t salt[RT_SALT_BYTES];
    randombytes_buf(salt, sizeof salt);
    char *hex = rt_arena_alloc(load->arena, 2 * sizeof salt + 1);
    if (!hex)
        return rt_error_set(load->err, RT_NO_MEMORY, "salts.yaml: out of memory");
    rt_hex_encode(salt, sizeof salt, hex);
    salts->items[salts->count++] = (struct rt_pair){id, hex};
    return RT_OK;
}

static enum rt_status load_salts(struct load *load)
{
    struct rt_bench *bench = load->bench;
    struct rt_salts salts = {0};
    struct rt_buf text;
    char path[PATH_MOST];
    enum rt_status status = RT_OK;
    if (rt_path_join(path, sizeof path, load->folder, "salts.yaml"))
        return rt_error_set(load->err, RT_TOO_LARGE, "%s: the path is too long", load->folder);
    rt_buf_init(&text, RT_DOC_FILE_MOST + 1);
    if (rt_file_exists(path)) {
        struct rt_doc_reader reader = {"salts.yaml", load->arena, NULL, load->err};
        status = rt_file_read(path, &text, load->err);
        if (!status)
            status = rt_doc_read(&reader, &rt_salts_table, rt_buf_bytes(&text), &salts);
    }
    rt_buf_release(&text);
    if (status)
        return status;
    size_t before = salts.count;
    struct rt_pair *items =
        rt_arena_array(load->arena, salts.count + bench->scenario_count, sizeof *items);
    if (!items)
        return rt_error_set(load->err, RT_NO_MEMORY, "salts.yaml: out of memory");
    if (salts.count)
        memcpy(items, salts.items, salts.count * sizeof *items);
    salts.items = items;
    for (size_t i = 0; i < bench->scenario_count && !status; i++) {
        struct rt_bench_entry *entry = &bench->entries[i];
        const char *hex = rt_pair_value(salts.items, salts.count, entry->id);
        if (!hex) {
            status = make_salt(load, &salts, entry->id);
            hex = status ? NULL : salts.items[salts.count - 1].value;
        }
        if (hex && rt_hex_decode(hex, strlen(hex), entry->salt, RT_SALT_BYTES))
            status = rt_error_set(load->err, RT_MALFORMED,
                                  "salts.yaml: the salt of `%s` must be 64 hexadecimal digits",
                                  entry->id);
    }
    return !status && salts.count > before ? write_salts(load, &salts) : status;
}

// What a version stands for: the bench object without its change log, scenarios under a salt of
// zeros, so that a copy with salts of its own has the same.
static enum rt_status digest_content(struct load *load, struct rt_buf *object)
{
    static const uint8_t no_salt[RT_SALT_BYTES];
    struct rt_bench plain = *load->bench;
    plain.change_count = 0;
    plain.entries = rt_arena_array(load->arena, plain.scenario_count, sizeof *plain.entries);
    enum rt_status status = plain.entries ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < plain.scenario_count && !status; i++) {
        plain.entries[i] = load->bench->entries[i];
        rt_buf_clear(object);
        status = rt_scenario_encode(plain.scenarios[i], no_salt, object);
        rt_sha256(rt_buf_bytes(object), &plain.entries[i].digest);
    }
    rt_buf_clear(object);
    if (!status)
        status = rt_bench_encode(&plain, object);
    rt_sha256(rt_buf_bytes(object), &load->bench->content);
    return status;
}

static enum rt_status digest_all(struct load *load)
{
    struct rt_bench *bench = load->bench;
    struct rt_buf object;
    rt_buf_init(&object, (size_t)16 << 20);
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < bench->scenario_count && !status; i++) {
        rt_buf_clear(&object);
        status = rt_scenario_encode(bench->scenarios[i], bench->entries[i].salt, &object);
        rt_sha256(rt_buf_bytes(&object), &bench->entries[i].digest);
    }
    rt_buf_clear(&object);
    if (!status)
        status = rt_bench_encode(bench, &object);
    rt_sha256(rt_buf_bytes(&object), &bench->digest);
    if (!status)
        status = digest_content(load, &object);
    rt_buf_release(&object);
    return status ? rt_error_set(load->err, status, "%s: %s", load->folder, rt_status_text(status))
                  : RT_OK;
}

enum rt_status rt_bench_load(const char *folder, bool read_only, struct rt_arena *arena,
                             struct rt_bench **ret_bench, struct rt_notes *notes,
                             struct rt_error *err)
{
    struct load load = {folder, read_only, arena, NULL, notes, err};
    load.bench = rt_arena_alloc(arena, sizeof *load.bench);
    if (!load.bench)
        return rt_error_set(err, RT_NO_MEMORY, "%s: out of memory", folder);
    struct rt_buf text;
    rt_buf_init(&text, RT_DOC_FILE_MOST + 1);
    struct rt_doc_reader reader = {"bench.yaml", arena, notes, err};
    enum rt_status status = read_file(&load, "bench.yaml", &text);
    if (!status)
        status = rt_doc_read(&reader, &rt_bench_table, rt_buf_bytes(&text), load.bench);
    rt_buf_release(&text);
    if (!status)
        status = rt_labels_check(&reader, load.bench->labels, load.bench->label_count);
    if (!status)
        status = load_scenarios(&load);
    if (!status)
        status = load_salts(&load);
    if (!status)
        status = digest_all(&load);
    if (!status)
        *ret_bench = load.bench;
    return status;
}

// ---- the object

enum rt_status rt_bench_encode(const struct rt_bench *bench, struct rt_buf *out)
{
    return rt_doc_encode(&rt_bench_table, bench, out);
}

enum rt_status rt_bench_decode(struct rt_bytes object, struct rt_arena *arena,
                               struct rt_bench **ret_bench)
{
    struct rt_doc_reader reader = {.arena = arena};
    struct rt_bench *bench = rt_arena_alloc(arena, sizeof *bench);
    if (!bench)
        return RT_NO_MEMORY;
    enum rt_status status = rt_doc_decode(&rt_bench_table, object, arena, bench);
    if (!status)
        status = rt_labels_check(&reader, bench->labels, bench->label_count);
    for (size_t i = 0; !status && i < bench->scenario_count; i++)
        for (size_t j = 0; j < i && !status; j++)
            if (strcmp(bench->entries[i].id, bench->entries[j].id) == 0)
                status = RT_MALFORMED;
    if (!status)
        status = rt_doc_same(&rt_bench_table, bench, object);
    if (status)
        return status;
    rt_sha256(object, &bench->digest);
    *ret_bench = bench;
    return RT_OK;
}

// SPDX-License-Identifier: Apache-2.0
// Tables of prompts: CSV, JSON lines, a JSON array; Inspect's sample fields and AILuminate's
// columns are known by name.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/csv.h"
#include "common/base/file.h"
#include "interop/import.h"
#include "interop/inspect_read.h"

#define PLACE_BYTES 320
#define KEPT        "kept in import.jsonl; no part of the scenario"

struct rows {
    struct rt_import *import;
    enum rt_import_table table;
    const char *prompt; // the column, once known
};

static const char *const prompt_names[] = {"input",    "prompt",   "prompt_text", "text",
                                           "question", "messages", NULL};
static const char *const id_names[] = {"id", "release_prompt_id", "prompt_uid", "prompt_id", NULL};
static const char *const lang_names[] = {"lang", "language", "locale", NULL};
static const char *const target_names[] = {"target", "expected", NULL};

static json_t *first_of(const json_t *record, const char *const *names, const char **ret_name)
{
    for (; *names; names++) {
        json_t *value = json_object_get(record, *names);
        if (value && !json_is_null(value)) {
            if (ret_name)
                *ret_name = *names;
            return value;
        }
    }
    return NULL;
}

// A scalar as text; NULL for what is none.
static const char *scalar(struct rt_import *import, const json_t *value)
{
    char number[32];
    if (json_is_string(value))
        return rt_arena_strdup(&import->arena, json_string_value(value));
    if (json_is_integer(value))
        return rt_arena_printf(&import->arena, "%lld", (long long)json_integer_value(value));
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (!json_is_real(value))
        return NULL;
    rt_json_number(json_real_value(value), number);
    return rt_arena_strdup(&import->arena, number);
}

// A column's value: "metadata.x" looks into the metadata object.
static const char *column(struct rt_import *import, const json_t *record, const char *name)
{
    const json_t *value = json_object_get(record, name);
    const char *dot = strchr(name, '.');
    char head[128];
    if (!value && dot && (size_t)(dot - name) < sizeof head) {
        snprintf(head, sizeof head, "%.*s", (int)(dot - name), name);
        value = json_object_get(json_object_get(record, head), dot + 1);
    }
    return value ? scalar(import, value) : NULL;
}

// ---- targets and choices

static enum rt_status take_target(struct rows *rows, const json_t *target,
                                  struct rt_import_item *item)
{
    struct rt_import *import = rows->import;
    size_t count = json_is_array(target) ? json_array_size(target) : 1, taken = 0;
    const char *pattern = "";
    for (size_t i = 0; target && i < count; i++) {
        const char *text =
            scalar(import, json_is_array(target) ? json_array_get(target, i) : target);
        if (!text || !*text)
            continue;
        const char *literal = rt_import_literal(import, text);
        pattern =
            literal ? rt_arena_printf(&import->arena, "%s%s%s", pattern, taken ? "|" : "", literal)
                    : NULL;
        if (!pattern)
            return RT_NO_MEMORY;
        if (!taken++)
            item->example = text;
    }
    item->expect = taken ? rt_arena_printf(&import->arena, "(?i)(?:%s)", pattern) : "";
    return item->expect ? RT_OK : RT_NO_MEMORY;
}

// Choices are put below the prompt as letters, since scenarios know no choices; a target that is a
// letter is then looked for as an answer and not as any letter of a word.
static enum rt_status take_choices(struct rows *rows, const json_t *choices, const char *place,
                                   struct rt_import_item *item)
{
    struct rt_import *import = rows->import;
    struct rt_import_message *last = &item->messages[item->message_count - 1];
    const char *text =
        rt_arena_printf(&import->arena, "%s\n\nAnswer with the letter of your choice.", last->text);
    size_t count = json_array_size(choices);
    for (size_t i = 0; i < count && i < 26 && text; i++) {
        const char *choice = scalar(import, json_array_get(choices, i));
        text = rt_arena_printf(&import->arena, "%s\n%c) %s", text, (int)('A' + i),
                               choice ? choice : "");
    }
    if (!text)
        return RT_NO_MEMORY;
    last->text = text;
    rt_import_note(import, "field", "choices", "written below the prompt as lettered lines", place);
    if (strlen(item->example) == 1 && item->example[0] >= 'A' && item->example[0] <= 'Z') {
        item->expect = rt_arena_printf(
            &import->arena,
            "\\A\\W*%c\\b(?!\\w)|(?i:answer|choice)(?i:\\s+is)?\\W{0,4}%c\\b|\\b%c\\W*\\z",
            item->example[0], item->example[0], item->example[0]);
        return item->expect ? RT_OK : RT_NO_MEMORY;
    }
    return RT_OK;
}

// ---- what has no place

static bool known(const struct rows *rows, const char *name)
{
    static const char *const common[] = {"hazard", "prompt_hash", "choices", "metadata", NULL};
    const char *const *const lists[] = {id_names, lang_names, target_names, common};
    const struct rt_import_options *options = &rows->import->options;
    if (!strcmp(name, rows->prompt) ||
        (options->scenario_by && !strcmp(name, options->scenario_by)) ||
        (options->phrasings_by && !strcmp(name, options->phrasings_by)))
        return true;
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
        for (const char *const *word = lists[l]; *word; word++)
            if (!strcmp(name, *word))
                return true;
    return false;
}

static void note_rest(struct rows *rows, json_t *record, const char *place)
{
    const char *key;
    json_t *value;
    char name[256];
    bool csv = rows->table == RT_IMPORT_AILUMINATE;
    json_object_foreach(record, key, value)
    {
        if (!strcmp(key, "files") || !strcmp(key, "setup") || !strcmp(key, "sandbox"))
            rt_import_note(rows->import, "field", key,
                           "kept in import.jsonl; imported scenarios have no sandbox of their own",
                           place);
        else if (!known(rows, key))
            rt_import_note(rows->import, csv ? "column" : "field", key, KEPT, place);
    }
    json_object_foreach(json_object_get(record, "metadata"), key, value)
    {
        snprintf(name, sizeof name, "metadata.%.200s", key);
        if (!known(rows, name))
            rt_import_note(rows->import, "field", name, KEPT, place);
    }
}

// ---- one record

// metadata may be an object or the text of one.
static enum rt_status open_metadata(json_t *record, const char *place, struct rt_error *err)
{
    json_t *metadata = json_object_get(record, "metadata"), *object = NULL;
    const char *text = json_string_value(metadata);
    if (!text || !*text)
        return RT_OK;
    enum rt_status status = rt_inspect_parse(place, rt_bytes_str(text), &object, err);
    if (status)
        return rt_error_wrap(err, "column `metadata` must be a JSON object");
    json_object_set_new(record, "metadata", object);
    return RT_OK;
}

static enum rt_status find_prompt(struct rows *rows, const json_t *record, const char *place,
                                  json_t **ret_input, struct rt_error *err)
{
    const char *wanted = rows->import->options.prompt;
    *ret_input =
        wanted ? json_object_get(record, wanted) : first_of(record, prompt_names, &rows->prompt);
    if (wanted)
        rows->prompt = wanted;
    if (*ret_input && (json_is_string(*ret_input) || json_is_array(*ret_input)))
        return RT_OK;
    return rt_error_set(err, RT_MALFORMED,
                        "%s: no prompt in column `%s`; name the column with --prompt", place,
                        wanted ? wanted : "input, prompt, prompt_text, text, question or messages");
}

// A CSV's input may be the text of a list of messages.
static json_t *open_messages(json_t *input)
{
    const char *text = json_string_value(input);
    if (!text || *text != '[')
        return json_incref(input);
    json_t *list = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool messages = json_is_array(list) && json_object_get(json_array_get(list, 0), "role");
    if (messages)
        return list;
    json_decref(list);
    return json_incref(input);
}

static enum rt_status take_names(struct rows *rows, const json_t *record, size_t number,
                                 const char *place, struct rt_import_item *item,
                                 struct rt_error *err)
{
    struct rt_import *import = rows->import;
    const struct rt_import_options *options = &import->options;
    const json_t *id = first_of(record, id_names, NULL), *lang = first_of(record, lang_names, NULL);
    const char *name = id ? scalar(import, id) : NULL;
    if (!name || !*name)
        name = rt_arena_printf(&import->arena, "prompt-%zu", number);
    const char *missing = NULL;
    item->key = options->scenario_by ? column(import, record, options->scenario_by) : name;
    if (!item->key || !*item->key)
        missing = options->scenario_by;
    item->phrasing = options->phrasings_by ? column(import, record, options->phrasings_by) : "";
    if (!item->phrasing || (options->phrasings_by && !*item->phrasing))
        missing = options->phrasings_by;
    if (missing)
        return rt_error_set(err, RT_MALFORMED, "%s: no value in column `%s`, which groups prompts",
                            place, missing);
    item->lang = lang ? scalar(import, lang) : "";
    const char *hazard = scalar(import, json_object_get(record, "hazard"));
    const char *hash = scalar(import, json_object_get(record, "prompt_hash"));
    item->objective = hazard ? hazard : "";
    item->type = rows->table == RT_IMPORT_AILUMINATE ? "hazard prompt" : "";
    item->provenance =
        rt_arena_printf(&import->arena, "imported from %s, record %.60s%s%.64s", place,
                        name ? name : "", hash && *hash ? ", prompt_hash " : "", hash ? hash : "");
    return name && item->lang && item->provenance ? RT_OK
                                                  : rt_error_set(err, RT_NO_MEMORY, "%s", place);
}

static enum rt_status take_record(struct rows *rows, json_t *record, size_t number,
                                  const char *where, struct rt_error *err)
{
    struct rt_import *import = rows->import;
    const char *place = rt_arena_strdup(&import->arena, where);
    struct rt_import_item item = {
        .place = place, .expect = "", .example = "", .rubric = "", .record = record};
    json_t *input = NULL, *choices;
    if (!place)
        return rt_error_set(err, RT_NO_MEMORY, "%s", where);
    if (!json_is_object(record))
        return rt_error_set(err, RT_MALFORMED, "%s: a record must be a JSON object", place);
    enum rt_status status = open_metadata(record, place, err);
    if (!status)
        status = find_prompt(rows, record, place, &input, err);
    if (status)
        return status;
    json_t *messages = open_messages(input);
    status = rt_import_messages(import, messages, place, &item, err);
    json_decref(messages);
    if (!status)
        status = take_names(rows, record, number, place, &item, err);
    if (!status && (status = take_target(rows, first_of(record, target_names, NULL), &item)))
        rt_error_set(err, status, "%s", place);
    choices = json_object_get(record, "choices");
    if (!status && json_array_size(choices) && (status = take_choices(rows, choices, place, &item)))
        rt_error_set(err, status, "%s", place);
    else if (!status && json_is_string(choices) && *json_string_value(choices))
        rt_import_note(import, "field", "choices", KEPT, place);
    if (!status)
        note_rest(rows, record, place);
    return status ? status : rt_import_add(import, &item, err);
}

// ---- the three forms

static enum rt_status check_header(const struct rows *rows, const struct rt_csv *csv,
                                   char (*names)[128], struct rt_error *err)
{
    bool prompt = false, id = false;
    for (size_t i = 0; i < csv->columns; i++) {
        if (csv->fields[i].size >= 128 || !csv->fields[i].size)
            return rt_error_set(err, RT_MALFORMED,
                                "%s:1: column %zu has no name, or one of more than 127 bytes",
                                csv->name, i + 1);
        memcpy(names[i], csv->fields[i].text, csv->fields[i].size + 1);
        for (size_t j = 0; j < i; j++)
            if (!strcmp(names[i], names[j]))
                return rt_error_set(err, RT_MALFORMED, "%s:1: column `%s` comes twice", csv->name,
                                    names[i]);
        prompt |= !strcmp(names[i], "prompt_text");
        id |= !strcmp(names[i], "release_prompt_id") || !strcmp(names[i], "prompt_uid");
    }
    if (rows->table == RT_IMPORT_AILUMINATE && (!prompt || !id))
        return rt_error_set(err, RT_MALFORMED,
                            "%s:1: an AILuminate table has the columns release_prompt_id (or "
                            "prompt_uid) and prompt_text; for others use `import csv`",
                            csv->name);
    return RT_OK;
}

static enum rt_status read_csv(struct rows *rows, const char *name, struct rt_bytes bytes,
                               struct rt_error *err)
{
    struct rt_csv csv;
    char names[RT_CSV_COLUMNS_MAX][128], place[PLACE_BYTES];
    bool row = false;
    rt_csv_init(&csv, name, bytes);
    enum rt_status status = rt_csv_next(&csv, &row, err);
    if (!status && !row)
        status = rt_error_set(err, RT_MALFORMED, "%s: the table is empty", name);
    if (!status)
        status = check_header(rows, &csv, names, err);
    for (size_t number = 1; !status; number++) {
        status = rt_csv_next(&csv, &row, err);
        if (status || !row)
            break;
        json_t *record = json_object();
        for (size_t i = 0; i < csv.columns; i++)
            if (csv.fields[i].size)
                json_object_set_new(record, names[i], json_string(csv.fields[i].text));
        snprintf(place, sizeof place, "%.256s:%" PRIu64, name, csv.row_line);
        status = take_record(rows, record, number, place, err);
        json_decref(record);
    }
    rt_csv_release(&csv);
    return status;
}

static enum rt_status read_lines(struct rows *rows, const char *name, struct rt_bytes bytes,
                                 struct rt_error *err)
{
    enum rt_status status = RT_OK;
    uint64_t line = 1;
    size_t number = 1;
    char place[PLACE_BYTES];
    while (bytes.size && !status) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
        size_t size = end ? (size_t)(end - bytes.data) : bytes.size;
        struct rt_bytes text = rt_bytes(bytes.data, size);
        bytes = rt_bytes(bytes.data + size + (end != NULL), bytes.size - size - (end != NULL));
        while (text.size && strchr(" \t\r", text.data[text.size - 1]))
            text.size--;
        snprintf(place, sizeof place, "%.256s:%" PRIu64, name, line++);
        if (!text.size)
            continue;
        json_t *record = NULL;
        status = rt_inspect_parse(place, text, &record, err);
        if (!status)
            status = take_record(rows, record, number++, place, err);
        json_decref(record);
    }
    return status;
}

static enum rt_status read_array(struct rows *rows, const char *name, struct rt_bytes bytes,
                                 struct rt_error *err)
{
    json_t *list = NULL;
    char place[PLACE_BYTES];
    enum rt_status status = rt_inspect_parse(name, bytes, &list, err);
    for (size_t i = 0; i < json_array_size(list) && !status; i++) {
        snprintf(place, sizeof place, "%.256s: record %zu", name, i + 1);
        status = take_record(rows, json_array_get(list, i), i + 1, place, err);
    }
    json_decref(list);
    return status;
}

enum rt_status rt_import_rows_memory(struct rt_import *import, enum rt_import_table table, bool csv,
                                     const char *name, struct rt_bytes bytes, struct rt_error *err)
{
    struct rows rows = {import, table, ""};
    size_t skip = 0;
    while (skip < bytes.size && strchr(" \t\r\n", bytes.data[skip]) && bytes.data[skip])
        skip++;
    enum rt_status status = csv ? read_csv(&rows, name, bytes, err)
                            : skip < bytes.size && bytes.data[skip] == '['
                                ? read_array(&rows, name, bytes, err)
                                : read_lines(&rows, name, bytes, err);
    if (!status && !import->item_count)
        status = rt_error_set(err, RT_MALFORMED, "%s: no prompts in it", name);
    return status;
}

enum rt_status rt_import_rows(struct rt_import *import, enum rt_import_table table, bool csv,
                              const char *path, struct rt_error *err)
{
    struct rt_buf text;
    const char *slash = strrchr(path, '/');
    import->source = slash ? slash + 1 : path;
    rt_buf_init(&text, RT_IMPORT_FILE_MOST);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status =
            rt_import_rows_memory(import, table, csv, import->source, rt_buf_bytes(&text), err);
    rt_buf_release(&text);
    return status;
}

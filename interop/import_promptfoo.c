// SPDX-License-Identifier: Apache-2.0
// A promptfoo configuration: each test a scenario, each prompt a phrasing of it with the test's
// variables put in; asserts that a pattern can decide become the rule `matched`, the rest is noted.
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "interop/import.h"
#include "interop/promptfoo.h"

#define PROMPTS_MOST 63
#define FILE_MOST    ((size_t)4 << 20)

struct config {
    struct rt_import *import;
    const char *name;   // of the file
    const char *folder; // or NULL
    const char *prompts[PROMPTS_MOST];
    const char *prompt_ids[PROMPTS_MOST];
    size_t prompt_count;
    const struct rt_node *shared; // defaultTest, or NULL
};

static const char *place_of(struct config *config, const struct rt_node *node)
{
    const char *place = rt_arena_printf(&config->import->arena, "%s:%u", config->name, node->line);
    return place ? place : config->name;
}

static enum rt_status bad(struct config *config, const struct rt_node *node, struct rt_error *err,
                          const char *what)
{
    return rt_error_set(err, RT_MALFORMED, "%s:%u: %s", config->name, node->line, what);
}

// ---- prompts

// A file beside the configuration: plain names below its folder only.
static enum rt_status read_file(struct config *config, const struct rt_node *node, const char *name,
                                struct rt_buf *out, struct rt_error *err)
{
    char path[4096], real_file[4096], real_folder[4096];
    if (!config->folder || *name == '/' || strstr(name, "..") || strchr(name, '\\'))
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "%s:%u: file://%s leads outside the configuration's folder",
                            config->name, node->line, name);
    if (rt_path_join(path, sizeof path, config->folder, name))
        return bad(config, node, err, "the file's name is too long");
    if (!realpath(path, real_file) || !realpath(config->folder, real_folder))
        return rt_error_set(err, RT_NOT_FOUND, "%s:%u: file://%s is not there", config->name,
                            node->line, name);
    size_t size = strlen(real_folder);
    if (strncmp(real_file, real_folder, size) || real_file[size] != '/')
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "%s:%u: file://%s leads outside the configuration's folder",
                            config->name, node->line, name);
    return rt_file_read(real_file, out, err);
}

static enum rt_status add_prompt(struct config *config, const struct rt_node *node,
                                 const char *text, const char *id, struct rt_error *err)
{
    if (config->prompt_count == PROMPTS_MOST)
        return bad(config, node, err, "more than 63 prompts");
    if (!*text)
        return bad(config, node, err, "an empty prompt");
    config->prompt_ids[config->prompt_count] = id;
    config->prompts[config->prompt_count++] = text;
    return RT_OK;
}

static enum rt_status add_file(struct config *config, const struct rt_node *node, const char *name,
                               const char *id, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, FILE_MOST);
    enum rt_status status = read_file(config, node, name, &text, err);
    char *rest = status ? NULL : rt_arena_strdup(&config->import->arena, rt_buf_str(&text));
    rt_buf_release(&text);
    if (!status && !rest)
        status = rt_error_set(err, RT_NO_MEMORY, "%s", name);
    size_t length = strlen(name);
    bool parts = length > 4 && !strcmp(name + length - 4, ".txt");
    while (!status && rest) { // a .txt may hold several, with lines of --- between
        char *cut = parts ? strstr(rest, "\n---\n") : NULL;
        if (cut)
            *cut = 0;
        status = add_prompt(config, node, rest, cut ? "" : id, err);
        rest = cut ? cut + 5 : NULL;
    }
    return status;
}

static enum rt_status take_prompt(struct config *config, const struct rt_node *node,
                                  struct rt_error *err)
{
    const char *text = node->kind == RT_NODE_SCALAR ? node->text : NULL, *id = "";
    if (node->kind == RT_NODE_MAP) {
        for (const struct rt_node *key = node->first; key; key = key->next) {
            if (!strcmp(key->key, "raw") && key->kind == RT_NODE_SCALAR)
                text = key->text;
            else if ((!strcmp(key->key, "id") || !strcmp(key->key, "label")) &&
                     key->kind == RT_NODE_SCALAR)
                id = key->text;
            else
                rt_import_note(config->import, "key", key->key, "of a prompt: not taken",
                               place_of(config, key));
        }
        if (!text && !strncmp(id, "file://", 7))
            text = id;
    }
    if (!text)
        return bad(config, node, err, "a prompt must be a text, or have `raw`");
    return strncmp(text, "file://", 7) ? add_prompt(config, node, text, id, err)
                                       : add_file(config, node, text + 7, "", err);
}

static enum rt_status take_prompts(struct config *config, const struct rt_node *root,
                                   struct rt_error *err)
{
    const struct rt_node *prompts = rt_node_child(root, "prompts");
    if (!prompts)
        return bad(config, root, err, "no `prompts`, so nothing to ask");
    if (prompts->kind != RT_NODE_LIST)
        return take_prompt(config, prompts, err);
    enum rt_status status = RT_OK;
    for (const struct rt_node *prompt = prompts->first; prompt && !status; prompt = prompt->next)
        status = take_prompt(config, prompt, err);
    return status;
}

// ---- one test

static const char *value_of(const struct config *config, const struct rt_node *test,
                            const char *name, size_t size, const struct rt_node **ret_node)
{
    const struct rt_node *places[2] = {test ? rt_node_child(test, "vars") : NULL,
                                       config->shared ? rt_node_child(config->shared, "vars")
                                                      : NULL};
    for (size_t i = 0; i < 2; i++)
        for (const struct rt_node *var =
                 places[i] && places[i]->kind == RT_NODE_MAP ? places[i]->first : NULL;
             var; var = var->next)
            if (strlen(var->key) == size && !memcmp(var->key, name, size)) {
                *ret_node = var;
                return var->kind == RT_NODE_SCALAR ? var->text : NULL;
            }
    *ret_node = NULL;
    return NULL;
}

// The prompt with the test's values; what is no plain variable stays as it is and is noted.
static const char *fill(struct config *config, const struct rt_node *test, const char *prompt,
                        const char *place)
{
    struct rt_buf out;
    char name[64];
    rt_buf_init(&out, FILE_MOST);
    for (const char *open; (open = strstr(prompt, "{{")) != NULL;) {
        const char *close = strstr(open, "}}");
        const struct rt_node *node = NULL;
        if (!close)
            break;
        const char *from = open + 2 + strspn(open + 2, " -");
        size_t size = strcspn(from, " -}|.(");
        const char *rest = from + size + strspn(from + size, " -");
        const char *value = rest == close ? value_of(config, test, from, size, &node) : NULL;
        rt_buf_add(&out, prompt, (size_t)(open - prompt));
        if (value) {
            rt_buf_add_str(&out, value);
        } else {
            snprintf(name, sizeof name, "%.*s",
                     (int)(close + 2 - open < 60 ? close + 2 - open : 60), open);
            rt_import_note(config->import, "template", name,
                           node ? "its value is no single text; left as written"
                                : "no plain variable with a value; left as written",
                           place);
            rt_buf_add(&out, open, (size_t)(close + 2 - open));
        }
        prompt = close + 2;
    }
    rt_buf_add_str(&out, prompt);
    const char *kept =
        rt_buf_ok(&out) ? NULL : rt_arena_strdup(&config->import->arena, rt_buf_str(&out));
    rt_buf_release(&out);
    return kept;
}

static json_t *node_json(const struct rt_node *node)
{
    if (node->kind == RT_NODE_SCALAR)
        return json_string(node->text);
    json_t *json = node->kind == RT_NODE_MAP ? json_object() : json_array();
    for (const struct rt_node *child = node->first; child; child = child->next) {
        if (node->kind == RT_NODE_MAP)
            json_object_set_new(json, child->key, node_json(child));
        else
            json_array_append_new(json, node_json(child));
    }
    return json;
}

static enum rt_status add_item(struct config *config, const struct rt_node *test, size_t number,
                               size_t prompt, const struct rt_promptfoo_rule *rule,
                               struct rt_error *err)
{
    struct rt_import *import = config->import;
    const struct rt_node *name = test ? rt_node_child(test, "description") : NULL;
    struct rt_import_item item = {
        .place = test ? place_of(config, test) : config->name,
        .key = name && name->kind == RT_NODE_SCALAR
                   ? rt_arena_printf(&import->arena, "%zu %s", number, name->text)
                   : rt_arena_printf(&import->arena, "test-%zu", number),
        .phrasing = config->prompt_ids[prompt],
        .lang = "",
        .expect = rule->pattern,
        .example = rule->example,
        .type = "promptfoo test",
        .objective = "",
        .rubric = rule->rubric};
    const char *text = fill(config, test, config->prompts[prompt], item.place);
    item.provenance = rt_arena_printf(&import->arena, "imported from %s, prompt %zu, test %zu",
                                      config->name, prompt + 1, number);
    if (!text || !item.key || !item.provenance)
        return rt_error_set(err, RT_NO_MEMORY, "%s", item.place);
    json_t *messages = *text == '[' ? json_loads(text, 0, NULL) : NULL;
    if (!json_object_get(json_array_get(messages, 0), "role")) {
        json_decref(messages);
        messages = json_string(text);
    }
    json_t *test_json = test ? node_json(test) : json_null();
    item.record = json_pack("{s:s, s:o}", "prompt", config->prompts[prompt], "test", test_json);
    enum rt_status status = rt_import_messages(import, messages, item.place, &item, err);
    if (!status)
        status = rt_import_add(import, &item, err);
    json_decref(messages);
    json_decref(item.record);
    return status;
}

static enum rt_status take_test(struct config *config, const struct rt_node *test, size_t number,
                                struct rt_error *err)
{
    static const char *const known[] = {"description", "vars", "assert", NULL};
    struct rt_promptfoo_rule rule = {"", "", "", 0};
    if (test && test->kind != RT_NODE_MAP)
        return bad(config, test, err, "a test must be a mapping with `vars` and `assert`");
    for (const struct rt_node *key = test ? test->first : NULL; key; key = key->next) {
        const char *const *word = known;
        while (*word && strcmp(*word, key->key))
            word++;
        if (!*word)
            rt_import_note(config->import, "key", key->key, "of a test: kept in import.jsonl",
                           place_of(config, key));
    }
    enum rt_status status = RT_OK;
    if (config->shared)
        status = rt_promptfoo_asserts(config->import, config->name,
                                      rt_node_child(config->shared, "assert"), &rule, err);
    if (!status && test)
        status = rt_promptfoo_asserts(config->import, config->name, rt_node_child(test, "assert"),
                                      &rule, err);
    for (size_t p = 0; p < config->prompt_count && !status; p++)
        status = add_item(config, test, number, p, &rule, err);
    return status;
}

// ---- the file

static enum rt_status take_root(struct config *config, const struct rt_node *root,
                                struct rt_error *err)
{
    static const char *const known[] = {"prompts", "tests", "defaultTest", "description", NULL};
    if (root->kind != RT_NODE_MAP)
        return bad(config, root, err, "a promptfoo configuration is a mapping");
    for (const struct rt_node *key = root->first; key; key = key->next) {
        const char *const *word = known;
        while (*word && strcmp(*word, key->key))
            word++;
        if (!*word)
            rt_import_note(config->import, "key", key->key, "not taken: a campaign says it",
                           place_of(config, key));
    }
    config->shared = rt_node_child(root, "defaultTest");
    if (config->shared && config->shared->kind != RT_NODE_MAP)
        return bad(config, config->shared, err, "`defaultTest` must be a mapping");
    enum rt_status status = take_prompts(config, root, err);
    const struct rt_node *tests = rt_node_child(root, "tests");
    if (!status && tests && tests->kind != RT_NODE_LIST)
        return bad(config, tests, err,
                   "`tests` must be a list here; import a table of tests with `import csv`");
    if (!status && (!tests || !tests->first))
        return take_test(config, NULL, 1, err);
    size_t number = 1;
    for (const struct rt_node *test = tests ? tests->first : NULL; test && !status;
         test = test->next)
        status = take_test(config, test, number++, err);
    return status;
}

enum rt_status rt_import_promptfoo_memory(struct rt_import *import, const char *name,
                                          struct rt_bytes bytes, const char *folder,
                                          struct rt_error *err)
{
    struct config config = {.import = import, .name = name, .folder = folder};
    struct rt_node *root = NULL;
    import->source = name;
    enum rt_status status = rt_tree_parse(bytes, name, &import->arena, &root, err);
    return status ? status : take_root(&config, root, err);
}

enum rt_status rt_import_promptfoo(struct rt_import *import, const char *path, struct rt_error *err)
{
    char folder[4096];
    struct rt_buf text;
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (size >= sizeof folder)
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", path);
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(size ? size : 1) : 1, slash ? path : ".");
    rt_buf_init(&text, FILE_MOST);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_import_promptfoo_memory(import, slash ? slash + 1 : path, rt_buf_bytes(&text),
                                            folder, err);
    rt_buf_release(&text);
    return status;
}

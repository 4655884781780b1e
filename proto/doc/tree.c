// SPDX-License-Identifier: Apache-2.0
#include "proto/doc/tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "proto/doc/doc.h"

struct build {
    yaml_parser_t parser;
    const char *name;
    struct rt_arena *arena;
    struct rt_error *err;
    size_t nodes;
};

static enum rt_status no_memory(struct build *build)
{
    return rt_error_set(build->err, RT_NO_MEMORY, "%s: too large to hold in memory", build->name);
}

static enum rt_status breach(struct build *build, size_t line, const char *what)
{
    return rt_error_set(build->err, RT_MALFORMED, "%s:%zu: %s", build->name, line, what);
}

static enum rt_status next_event(struct build *build, yaml_event_t *event)
{
    if (yaml_parser_parse(&build->parser, event))
        return RT_OK;
    if (build->parser.error == YAML_MEMORY_ERROR)
        return no_memory(build);
    const char *problem = build->parser.problem ? build->parser.problem : "not YAML";
    if (build->parser.error == YAML_READER_ERROR)
        return rt_error_set(build->err, RT_MALFORMED, "%s: byte %zu: %s", build->name,
                            build->parser.problem_offset, problem);
    return rt_error_set(build->err, RT_MALFORMED, "%s:%zu: %s%s%s", build->name,
                        build->parser.problem_mark.line + 1, problem,
                        build->parser.context ? ", " : "",
                        build->parser.context ? build->parser.context : "");
}

// Anchors, aliases and tags, wherever an event can carry them.
static const char *forbidden(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return "aliases (*name) are not read; write the value again";
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        return "anchors (&name) are not read; write the value again";
    return tag ? "tags (!name) are not read; the document's own table types every value" : NULL;
}

static enum rt_status check_scalar(struct build *build, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t line = event->start_mark.line + 1;
    for (size_t i = 0; i < event->data.scalar.length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            return breach(build, line, "a text holds a control character");
    }
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return RT_OK;
    static const char *const truths[] = {"yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++)
        if (strcasecmp(text, truths[i]) == 0)
            return rt_error_set(build->err, RT_MALFORMED,
                                "%s:%zu: bare `%s` means different things to different readers; "
                                "write true or false, or \"%s\" in quotes for the word",
                                build->name, line, text, text);
    if (*text == 0 || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0)
        return breach(build, line, "a value is missing; write \"\" for an empty text");
    return RT_OK;
}

static struct rt_node *new_node(struct build *build, enum rt_node_kind kind,
                                const yaml_event_t *event)
{
    struct rt_node *node = rt_arena_alloc(build->arena, sizeof *node);
    if (node) {
        node->kind = kind;
        node->line = (uint32_t)event->start_mark.line + 1;
    }
    return node;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const struct rt_node *const *)a)->key,
                  (*(const struct rt_node *const *)b)->key);
}

static enum rt_status check_unique(struct build *build, const struct rt_node *map)
{
    if (map->count < 2)
        return RT_OK;
    const struct rt_node **sorted = malloc(map->count * sizeof *sorted);
    if (!sorted)
        return no_memory(build);
    size_t count = 0;
    for (const struct rt_node *child = map->first; child; child = child->next)
        sorted[count++] = child;
    qsort(sorted, count, sizeof *sorted, compare_keys);
    enum rt_status status = RT_OK;
    for (size_t i = 1; i < count && !status; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0) {
            uint32_t a = sorted[i - 1]->line, b = sorted[i]->line;
            status = rt_error_set(build->err, RT_MALFORMED,
                                  "%s:%u: `%s` is written twice, first at line %u; keep one",
                                  build->name, a > b ? a : b, sorted[i]->key, a > b ? b : a);
        }
    free(sorted);
    return status;
}

static enum rt_status build_value(struct build *build, yaml_event_t *event, unsigned depth,
                                  struct rt_node **ret_node);

// The children of a list or map, up to its end event.
static enum rt_status build_children(struct build *build, struct rt_node *parent, unsigned depth)
{
    struct rt_node **tail = &parent->first;
    yaml_event_type_t end =
        parent->kind == RT_NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    for (;;) {
        yaml_event_t event;
        enum rt_status status = next_event(build, &event);
        if (status)
            return status;
        if (event.type == end) {
            yaml_event_delete(&event);
            return parent->kind == RT_NODE_MAP ? check_unique(build, parent) : RT_OK;
        }
        struct rt_node *key = NULL, *child = NULL;
        if (parent->kind == RT_NODE_MAP) {
            if (event.type != YAML_SCALAR_EVENT && !forbidden(&event)) {
                size_t line = event.start_mark.line + 1;
                yaml_event_delete(&event);
                return breach(build, line, "a key must be a text");
            }
            status = build_value(build, &event, depth + 1, &key);
            if (!status)
                status = next_event(build, &event);
            if (status)
                return status;
        }
        status = build_value(build, &event, depth + 1, &child);
        if (status)
            return status;
        if (key) {
            child->key = key->text;
            child->line = key->line;
        }
        *tail = child;
        tail = &child->next;
        parent->count++;
    }
}

// One value that begins with event, which is released here.
static enum rt_status build_value(struct build *build, yaml_event_t *event, unsigned depth,
                                  struct rt_node **ret_node)
{
    size_t line = event->start_mark.line + 1;
    const char *refusal = forbidden(event);
    struct rt_node *node = NULL;
    enum rt_status status = RT_OK;
    if (refusal)
        status = breach(build, line, refusal);
    else if (depth > RT_DOC_DEPTH_MOST)
        status = breach(build, line, "nested too deeply");
    else if (++build->nodes > RT_DOC_NODES_MOST)
        status = rt_error_set(build->err, RT_TOO_LARGE, "%s:%zu: more than %d values", build->name,
                              line, RT_DOC_NODES_MOST);
    else if (event->type == YAML_SCALAR_EVENT)
        status = check_scalar(build, event);
    if (status) {
        yaml_event_delete(event);
        return status;
    }
    if (event->type == YAML_SCALAR_EVENT) {
        node = new_node(build, RT_NODE_SCALAR, event);
        if (node) {
            node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
            node->text = rt_arena_strndup(build->arena, (const char *)event->data.scalar.value,
                                          event->data.scalar.length);
        }
    } else {
        node = new_node(build, event->type == YAML_MAPPING_START_EVENT ? RT_NODE_MAP : RT_NODE_LIST,
                        event);
    }
    yaml_event_delete(event);
    if (!node || (node->kind == RT_NODE_SCALAR && !node->text))
        return no_memory(build);
    *ret_node = node;
    return node->kind == RT_NODE_SCALAR ? RT_OK : build_children(build, node, depth);
}

// Stream start, one document, stream end.
static enum rt_status build_document(struct build *build, struct rt_node **ret_root)
{
    bool seen = false;
    for (;;) {
        yaml_event_t event;
        enum rt_status status = next_event(build, &event);
        if (status)
            return status;
        size_t line = event.start_mark.line + 1;
        yaml_event_type_t type = event.type;
        bool second = type == YAML_DOCUMENT_START_EVENT && seen;
        bool tagged =
            type == YAML_DOCUMENT_START_EVENT && event.data.document_start.tag_directives.start !=
                                                     event.data.document_start.tag_directives.end;
        if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
            type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT) {
            status = build_value(build, &event, 1, ret_root);
        } else {
            yaml_event_delete(&event);
        }
        if (second)
            return breach(build, line, "a second document begins; one file holds one");
        if (tagged)
            return breach(build, line, "tag directives are not read");
        if (status)
            return status;
        seen = seen || type == YAML_DOCUMENT_START_EVENT;
        if (type == YAML_STREAM_END_EVENT)
            return seen ? RT_OK
                        : rt_error_set(build->err, RT_MALFORMED, "%s: the file is empty",
                                       build->name);
    }
}

enum rt_status rt_tree_parse(struct rt_bytes text, const char *name, struct rt_arena *arena,
                             struct rt_node **ret_root, struct rt_error *err)
{
    if (text.size > RT_DOC_FILE_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "%s: larger than %zu bytes", name, RT_DOC_FILE_MOST);
    struct build build = {.name = name, .arena = arena, .err = err};
    if (!yaml_parser_initialize(&build.parser))
        return no_memory(&build);
    yaml_parser_set_encoding(&build.parser, YAML_UTF8_ENCODING);
    const uint8_t *data = text.size ? text.data : (const uint8_t *)"";
    yaml_parser_set_input_string(&build.parser, data, text.size);
    struct rt_node *root = NULL;
    enum rt_status status = build_document(&build, &root);
    yaml_parser_delete(&build.parser);
    if (!status)
        *ret_root = root;
    return status;
}

const struct rt_node *rt_node_child(const struct rt_node *map, const char *key)
{
    for (const struct rt_node *child = map->first; child; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

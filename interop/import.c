// SPDX-License-Identifier: Apache-2.0
#include "interop/import.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

void rt_import_init(struct rt_import *import, const struct rt_import_options *options)
{
    *import = (struct rt_import){.options = *options, .source = ""};
    rt_arena_init(&import->arena, (size_t)2 << 30);
}

void rt_import_release(struct rt_import *import)
{
    for (size_t i = 0; i < import->item_count; i++)
        json_decref(import->items[i].record);
    free(import->items);
    rt_arena_release(&import->arena);
}

enum rt_status rt_import_add(struct rt_import *import, const struct rt_import_item *item,
                             struct rt_error *err)
{
    if (import->item_count == RT_IMPORT_ITEMS_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "%s: more than %zu prompts; split the file",
                            item->place, RT_IMPORT_ITEMS_MOST);
    if (import->item_count == import->item_room) {
        size_t room = import->item_room ? 2 * import->item_room : 64;
        struct rt_import_item *grown = realloc(import->items, room * sizeof *grown);
        if (!grown)
            return rt_error_set(err, RT_NO_MEMORY, "%s", item->place);
        import->items = grown;
        import->item_room = room;
    }
    struct rt_import_item *to = &import->items[import->item_count++];
    *to = *item;
    to->record = json_incref(item->record);
    return RT_OK;
}

void rt_import_note(struct rt_import *import, const char *kind, const char *name, const char *what,
                    const char *place)
{
    for (size_t i = 0; i < import->note_count; i++) {
        struct rt_import_note *note = &import->notes[i];
        if (strcmp(note->kind, kind) == 0 && strcmp(note->name, name) == 0) {
            note->count++;
            return;
        }
    }
    const char *copy = rt_arena_strndup(&import->arena, name, strnlen(name, 200));
    const char *text = rt_arena_strdup(&import->arena, what);
    const char *first = rt_arena_strdup(&import->arena, place);
    if (import->note_count == RT_IMPORT_NOTES_MOST || !copy || !text || !first)
        import->unlisted++;
    else
        import->notes[import->note_count++] = (struct rt_import_note){kind, copy, text, first, 1};
}

json_t *rt_import_notes_json(const struct rt_import *import)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < import->note_count; i++) {
        const struct rt_import_note *note = &import->notes[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "kind", note->kind,
                                              "name", note->name, "what", note->what, "first",
                                              note->place, "count", (json_int_t)note->count));
    }
    return list;
}

void rt_import_notes_print(const struct rt_import *import, struct rt_buf *out)
{
    if (!import->note_count) {
        rt_buf_add_str(out, "everything found has its place in the bench\n");
        return;
    }
    rt_buf_printf(out, "%-9s %-28s %7s  %s\n", "", "without a place of its own", "count", "");
    for (size_t i = 0; i < import->note_count; i++) {
        const struct rt_import_note *note = &import->notes[i];
        rt_buf_printf(out, "%-9s %-28s %7" PRIu64 "  %s (first: %s)\n", note->kind, note->name,
                      note->count, note->what, note->place);
    }
    if (import->unlisted)
        rt_buf_printf(out, "and %" PRIu64 " more, which import.jsonl has\n", import->unlisted);
}

const char *rt_import_literal(struct rt_import *import, const char *text)
{
    struct rt_buf out;
    rt_buf_init(&out, 4 * strlen(text) + 1);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\n' || c == '\r' || c == '\t') {
            rt_buf_add_str(&out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
            continue;
        }
        if (c < 0x80 && !isalnum(c))
            rt_buf_add_u8(&out, '\\');
        rt_buf_add_u8(&out, c);
    }
    const char *kept = rt_buf_ok(&out) ? NULL : rt_arena_strdup(&import->arena, rt_buf_str(&out));
    rt_buf_release(&out);
    return kept;
}

// ---- messages

// The text of a message: a text, or the text parts of a list.
static const char *content_text(struct rt_import *import, const json_t *content, const char *place)
{
    if (json_is_string(content))
        return rt_arena_strdup(&import->arena, json_string_value(content));
    struct rt_buf out;
    size_t i;
    json_t *part;
    rt_buf_init(&out, RT_IMPORT_FILE_MOST);
    json_array_foreach(content, i, part)
    {
        const char *text = json_string_value(json_object_get(part, "text"));
        const char *type = json_string_value(json_object_get(part, "type"));
        if (text && out.size)
            rt_buf_add_u8(&out, '\n');
        if (text)
            rt_buf_add_str(&out, text);
        else
            rt_import_note(import, "content", type ? type : "?", "not put to the subject", place);
    }
    const char *kept = rt_buf_ok(&out) ? NULL : rt_arena_strdup(&import->arena, rt_buf_str(&out));
    rt_buf_release(&out);
    return kept;
}

enum rt_status rt_import_messages(struct rt_import *import, const json_t *input, const char *place,
                                  struct rt_import_item *item, struct rt_error *err)
{
    size_t count = json_is_array(input) ? json_array_size(input) : 1, users = 0;
    item->messages =
        rt_arena_array(&import->arena, RT_IMPORT_MESSAGES_MOST, sizeof *item->messages);
    if (!item->messages)
        return rt_error_set(err, RT_NO_MEMORY, "%s", place);
    if (count > RT_IMPORT_MESSAGES_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "%s: more than %d messages in one prompt", place,
                            RT_IMPORT_MESSAGES_MOST);
    for (size_t i = 0; i < count; i++) {
        const json_t *message = json_is_array(input) ? json_array_get(input, i) : NULL;
        const char *role = message ? json_string_value(json_object_get(message, "role")) : "user";
        if (!role || (strcmp(role, "system") && strcmp(role, "user"))) {
            rt_import_note(import, "message", role ? role : "without a role",
                           "not put to the subject, which answers for itself", place);
            continue;
        }
        const char *text =
            content_text(import, message ? json_object_get(message, "content") : input, place);
        if (!text)
            return rt_error_set(err, RT_NO_MEMORY, "%s", place);
        bool user = strcmp(role, "user") == 0;
        if (user && !*text)
            return rt_error_set(err, RT_MALFORMED, "%s: an empty prompt; remove it or fill it in",
                                place);
        users += user;
        item->messages[item->message_count++] =
            (struct rt_import_message){user ? "user" : "system", text};
    }
    return users ? RT_OK
                 : rt_error_set(err, RT_MALFORMED, "%s: no user message, so nothing to ask", place);
}

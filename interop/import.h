// SPDX-License-Identifier: Apache-2.0
// Other people's prompts on their way into a bench: readers add items (one prompt each, with
// everything that was found beside it) and notes (whatever has no place in a scenario, with
// counts), and the writer makes a bench folder of them that the tools read. Nothing is dropped in
// silence: each item's whole record is kept in import.jsonl of the bench. One thread.
#ifndef RT_INTEROP_IMPORT_H
#define RT_INTEROP_IMPORT_H

#include "common/base/arena.h"
#include "common/base/json.h"

#define RT_IMPORT_ITEMS_MOST    ((size_t)100000)
#define RT_IMPORT_NOTES_MOST    512
#define RT_IMPORT_MESSAGES_MOST 64
#define RT_IMPORT_FILE_MOST     ((size_t)256 << 20)

struct rt_import_options {
    const char *id, *title, *licence; // of the bench; id NULL: from the folder's name
    const char *prompt;               // column of the prompt; NULL: one of the known names
    const char *scenario_by;          // column that groups prompts into scenarios
    const char *phrasings_by;         // column that names the phrasing
    const char *lang;                 // where no column says it; NULL: "und"
    const char *class;                // data class; NULL: "public"
    const char *const *behaviour;     // labels that count as the behaviour; none: the importer's
    size_t behaviour_count;
    bool null_pair; // repeat the first phrasing of each scenario as a null pair
};

struct rt_import_message {
    const char *role; // "system" or "user"
    const char *text;
};

struct rt_import_arg {
    const char *name, *type, *description;
    bool required;
};
struct rt_import_tool {
    const char *name, *description;
    struct rt_import_arg *args;
    size_t arg_count;
    const char **replies;
    size_t reply_count;
};

struct rt_import_item {
    const char *place;    // "prompts.csv:12", for messages
    const char *key;      // of the scenario
    const char *phrasing; // "" none given
    const char *lang;     // "" none given
    struct rt_import_message *messages;
    size_t message_count;
    const char *expect;                        // PCRE2 that a wanted answer matches; "" none
    const char *example;                       // an answer that does; "" none known
    const char *type, *objective, *provenance; // of meta; "" none
    const char *rubric;                        // for a judge; "" none
    struct rt_import_tool *tools;
    size_t tool_count;
    json_t *record; // all that was found; a reference of the import's own
};

struct rt_import_note {
    const char *kind, *name; // "column", "persona"
    const char *what;        // what became of it
    const char *place;       // the first
    uint64_t count;
};

struct rt_import {
    struct rt_import_options options;
    struct rt_arena arena;
    const char *source; // the file's name without folders
    struct rt_import_item *items;
    size_t item_count, item_room;
    struct rt_import_note notes[RT_IMPORT_NOTES_MOST];
    size_t note_count;
    uint64_t unlisted;          // notes beyond the table's end
    uint64_t verified, damaged; // trials of our own logs whose transcript is, is not, the committed
};

void rt_import_init(struct rt_import *import, const struct rt_import_options *options);
void rt_import_release(struct rt_import *import);

// The item's texts must live in the import's arena or longer; record is referenced.
enum rt_status rt_import_add(struct rt_import *import, const struct rt_import_item *item,
                             struct rt_error *err) RT_WARN_UNUSED;
// Count one more of (kind, name); what and place are kept of the first.
void rt_import_note(struct rt_import *import, const char *kind, const char *name, const char *what,
                    const char *place);
// [{kind, name, what, first, count}]; the caller decrefs. NULL when out of memory.
json_t *rt_import_notes_json(const struct rt_import *import);
// A table for the terminal.
void rt_import_notes_print(const struct rt_import *import, struct rt_buf *out);

// ---- readers

enum rt_import_table { RT_IMPORT_PLAIN, RT_IMPORT_INSPECT, RT_IMPORT_AILUMINATE };
// A table of prompts (`.csv`, else JSON lines or a JSON array), a column or key a field.
enum rt_status rt_import_rows(struct rt_import *import, enum rt_import_table table, bool csv,
                              const char *path, struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_import_rows_memory(struct rt_import *import, enum rt_import_table table, bool csv,
                                     const char *name, struct rt_bytes bytes,
                                     struct rt_error *err) RT_WARN_UNUSED;
// An Inspect log, `.json` or `.eval`.
enum rt_status rt_import_log(struct rt_import *import, const char *path,
                             struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_import_log_memory(struct rt_import *import, const char *name,
                                    struct rt_bytes bytes, struct rt_error *err) RT_WARN_UNUSED;
// A promptfoo configuration: its tests become scenarios, its prompts their phrasings. Files it
// names are read from its own folder and from nowhere else; folder NULL reads none.
enum rt_status rt_import_promptfoo(struct rt_import *import, const char *path,
                                   struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_import_promptfoo_memory(struct rt_import *import, const char *name,
                                          struct rt_bytes bytes, const char *folder,
                                          struct rt_error *err) RT_WARN_UNUSED;

// Messages of an input that is a text or a list of {role, content}; what cannot be put to a subject
// is noted. RT_MALFORMED without any user turn.
enum rt_status rt_import_messages(struct rt_import *import, const json_t *input, const char *place,
                                  struct rt_import_item *item, struct rt_error *err) RT_WARN_UNUSED;
// A text with every byte that is special to PCRE2 (and to templates) escaped, in the arena.
const char *rt_import_literal(struct rt_import *import, const char *text);

// ---- the writer

// What was written.
struct rt_import_sums {
    size_t scenarios, phrasings;
    size_t tests, tests_failed, findings; // of `bench lint`
};
// Make the bench in folder, which must not exist yet, and read it back with the bench's own reader,
// its tests run and its phrasings compared; findings go to out.
enum rt_status rt_import_write(struct rt_import *import, const char *folder,
                               struct rt_import_sums *ret_sums, struct rt_buf *out,
                               struct rt_error *err) RT_WARN_UNUSED;

// The pattern by which an imported bench knows a refusal.
extern const char rt_import_refusal[];

#endif

// SPDX-License-Identifier: Apache-2.0
// A document declared once: a table of typed fields over a struct drives reading YAML with errors
// that name file, line and remedy, defaults, writing YAML, the help text, and the canonical
// MessagePack object (an array of the fields in table order, led by a version in a root table;
// exact arity). Structs hold C texts, numbers and counted arrays in one arena. No I/O; any thread.
#ifndef RT_PROTO_DOC_TABLE_H
#define RT_PROTO_DOC_TABLE_H

#include "proto/doc/doc.h"
#include "proto/doc/pair.h"
#include "proto/doc/tree.h"
#include "proto/msgpack.h"

enum rt_doc_kind {
    RT_DOC_TEXT,     // const char *; least to most bytes (most 0: RT_DOC_TEXT_MOST); never NULL
    RT_DOC_BOOL,     // bool
    RT_DOC_U32,      // uint32_t, least to most (most 0: UINT32_MAX)
    RT_DOC_U64,      // uint64_t, least to most (most 0: INT64_MAX)
    RT_DOC_MICRO,    // int64_t millionths, least to most
    RT_DOC_DURATION, // int64_t ms
    RT_DOC_SIZE,     // uint64_t bytes: a whole number, bare or in KiB, MiB, GiB, TiB
    RT_DOC_DATE,     // int64_t ms since 1970
    RT_DOC_ENUM,     // an enum whose values are the places in words[]
    RT_DOC_DIGEST,   // struct rt_digest, "sha256:..."
    RT_DOC_KEY,      // struct rt_public_key, "minisign:..."
    RT_DOC_CURVE,    // struct rt_curve_public, "rt-curve:..."
    RT_DOC_STRUCT,   // a struct inside, by item; offset 0 for a mere nesting of keys
    RT_DOC_MAYBE,    // struct *, by item; NULL when absent
    RT_DOC_LIST,     // struct *, size_t count: a sequence of mappings
    RT_DOC_MAP,      // the same written as a mapping; the key is the item's first field
    RT_DOC_TEXTS,    // const char **, size_t count: a sequence of scalars
    RT_DOC_MICROS,   // int64_t *, size_t count: a sequence of decimals, each least to most
    RT_DOC_PAIRS,    // struct rt_pair *, size_t count: a mapping of names to scalars
};

#define RT_DOC_TEXT_MOST 65536

enum rt_doc_flag {
    RT_DOC_REQUIRED = 1 << 0,
    RT_DOC_IS_ID = 1 << 1,       // TEXT, TEXTS: rt_id_valid
    RT_DOC_IS_NAME = 1 << 2,     // TEXT: letters, digits, '_', '-' and '.', as names of tools
    RT_DOC_ONE_LINE = 1 << 3,    // TEXT, TEXTS, PAIRS: no LF or TAB
    RT_DOC_KEYED = 1 << 4,       // first field of a MAP's item: its value is the mapping's key
    RT_DOC_REST = 1 << 5,        // PAIRS: takes every key that no other field has
    RT_DOC_ALL = 1 << 6,         // TEXTS: the scalar `all` stands for a list; sets *extra's bool
    RT_DOC_UNPLAYED = 1 << 7,    // leaves a note when present
    RT_DOC_NOT_OBJECT = 1 << 8,  // not part of the canonical object
    RT_DOC_OBJECT_ONLY = 1 << 9, // never read from YAML
};

struct rt_doc_reader;
typedef enum rt_status rt_doc_read_fn(struct rt_doc_reader *reader, const struct rt_node *node,
                                      void *record);

struct rt_doc_table;
struct rt_doc_field {
    const char *key;
    enum rt_doc_kind kind;
    unsigned flags;
    size_t offset;
    size_t count_offset; // LIST, MAP, TEXTS, MICROS, PAIRS
    size_t has_offset;   // of a bool that says "present"; 0 none (then a DIGEST etc. is required)
    const struct rt_doc_table *item;
    const char *const *words;      // NULL-terminated
    int64_t least;                 // lists: fewest items
    uint64_t most;                 // lists: most items; MICROS: see item bounds
    int64_t item_least, item_most; // MICROS
    const char *preset;            // as written; NULL: zero or ""
    rt_doc_read_fn *read;          // reads the value in place of the kind's own way
    const char *help;              // one line
    const char *schema;            // JSON Schema of the value, where `read` gives it another form
};

struct rt_doc_table {
    const char *name;   // "scenario", for the help text
    unsigned version;   // a root table's object begins with it; 0: not a root
    size_t size;        // of the struct
    size_t line_offset; // of a uint32_t for the line it was written at; 0 none
    const struct rt_doc_field *fields;
    size_t field_count;
    const char *help;
};
// The places of a field in its struct, by member name.
#define RT_AT(tag, member) .offset = offsetof(struct tag, member)
#define RT_COUNTED(tag, member, count)                                                             \
    .offset = offsetof(struct tag, member), .count_offset = offsetof(struct tag, count)
#define RT_HAS(tag, member)  .has_offset = offsetof(struct tag, member)
#define RT_DOC_FIELDS(array) .fields = (array), .field_count = sizeof(array) / sizeof *(array)

struct rt_doc_reader {
    const char *name; // of the file, for errors
    struct rt_arena *arena;
    struct rt_notes *notes; // may be NULL
    struct rt_error *err;   // may be NULL
};

// ---- YAML to struct (read.c)

// Parse text as a document of this table into record (which is set whole).
enum rt_status rt_doc_read(struct rt_doc_reader *reader, const struct rt_doc_table *table,
                           struct rt_bytes text, void *record) RT_WARN_UNUSED;
// A mapping node into a record; for read functions of fields.
enum rt_status rt_doc_read_map(struct rt_doc_reader *reader, const struct rt_doc_table *table,
                               const struct rt_node *node, void *record) RT_WARN_UNUSED;
// A mapping of names to scalars.
enum rt_status rt_doc_read_pairs(struct rt_doc_reader *reader, const char *what,
                                 const struct rt_node *node, size_t most,
                                 struct rt_pair **ret_pairs, size_t *ret_count) RT_WARN_UNUSED;
// The field `ringtrial:`, which every file of ours begins with: the format's number, 1.
enum rt_status rt_doc_read_format(struct rt_doc_reader *reader, const struct rt_node *node,
                                  void *record) RT_WARN_UNUSED;
#define RT_DOC_FORMAT_FIELD                                                                        \
    {                                                                                              \
        "ringtrial", RT_DOC_U32, RT_DOC_REQUIRED | RT_DOC_NOT_OBJECT,                              \
            .read = rt_doc_read_format, .help = "format of this file: 1",                          \
            .schema = "{\"const\":1}"                                                              \
    }
// Fill err with "file:line: ..." (the file alone where line is 0) and return status.
enum rt_status rt_doc_fail(const struct rt_doc_reader *reader, enum rt_status status, uint32_t line,
                           const char *format, ...) RT_PRINTF(4, 5);
enum rt_status rt_doc_no_memory(const struct rt_doc_reader *reader);
// "; did you mean `x`?" or "; known: a, b" or "", for unknown words. list is NULL-terminated.
const char *rt_doc_suggest(const struct rt_doc_reader *reader, const char *word,
                           const char *const *list);
void rt_doc_note(const struct rt_doc_reader *reader, uint32_t line, const char *format, ...)
    RT_PRINTF(3, 4);
// Every field at its preset.
void rt_doc_init(const struct rt_doc_table *table, void *record);
// Letters, digits, '_', '-', '.'; not longer than RT_ID_BYTES.
bool rt_doc_name_valid(const char *text);
// Does text keep the field's rules (size, form)? For reading and decoding alike.
bool rt_doc_text_valid(const struct rt_doc_field *field, const char *text);

// ---- struct to object and back (codec.c)

enum rt_status rt_doc_encode(const struct rt_doc_table *table, const void *record,
                             struct rt_buf *out) RT_WARN_UNUSED;
// Strict; the caller checks references afterwards. RT_MALFORMED, RT_OUT_OF_RANGE, RT_NO_MEMORY,
// RT_UNSUPPORTED (another version).
enum rt_status rt_doc_decode(const struct rt_doc_table *table, struct rt_bytes object,
                             struct rt_arena *arena, void *record) RT_WARN_UNUSED;
// RT_OK when record encodes to exactly object: the last step of every strict decoder.
enum rt_status rt_doc_same(const struct rt_doc_table *table, const void *record,
                           struct rt_bytes object) RT_WARN_UNUSED;

// ---- struct to text (write.c)

// YAML that reads back to the same record; fields at their preset are left out. Fields with a read
// function of their own are not written.
void rt_doc_write(const struct rt_doc_table *table, const void *record, struct rt_buf *out);
// The document's keys with kinds, defaults and help lines.
void rt_doc_help(const struct rt_doc_table *table, struct rt_buf *out);

// ---- access to a field's place (used by the three files above)

static inline void *rt_doc_at(const void *record, size_t offset)
{
    return (uint8_t *)(uintptr_t)record + offset;
}
static inline void *rt_doc_pointer(const void *record, size_t offset)
{
    void *pointer;
    memcpy(&pointer, rt_doc_at(record, offset), sizeof pointer);
    return pointer;
}
static inline size_t rt_doc_count(const void *record, const struct rt_doc_field *field)
{
    size_t count;
    memcpy(&count, rt_doc_at(record, field->count_offset), sizeof count);
    return count;
}
static inline void rt_doc_set_list(void *record, const struct rt_doc_field *field,
                                   const void *items, size_t count)
{
    memcpy(rt_doc_at(record, field->offset), &items, sizeof items);
    memcpy(rt_doc_at(record, field->count_offset), &count, sizeof count);
}

#endif

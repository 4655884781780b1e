// SPDX-License-Identifier: Apache-2.0
// The statement tables of statement.h as data, for the files that build, parse and describe them.
// Constant; any thread.
#ifndef RT_PROTO_STATEMENT_TABLE_H
#define RT_PROTO_STATEMENT_TABLE_H

#include <stddef.h>

#include "proto/statement.h"

#define RT_STATEMENT_MAGIC         "ringtrial/v1 "
#define RT_STATEMENT_SIGNED        "signed "
#define RT_STATEMENT_RECEIVED      "received "
#define RT_STATEMENT_RECEIVED_SIZE (9 + 24 + 1) // "received ", the stamp, LF
#define RT_STATEMENT_KIND_FIELDS   8            // at most

enum rt_statement_form {
    RT_FORM_DIGEST,
    RT_FORM_LINK,
    RT_FORM_ID,
    RT_FORM_U64,
    RT_FORM_ACTION,
    RT_FORM_SEEN,
    RT_FORM_NONCE,
    RT_FORM_PAIRS,
    RT_FORM_TEXT,
};

struct rt_statement_field_entry {
    const char *word;
    enum rt_statement_form form;
    size_t offset; // in struct rt_statement; of `pairs` for PAIRS
    const char *doc;
};

struct rt_statement_kind_entry {
    const char *word;
    const char *type;
    enum rt_statement_rule rule;
    size_t field_count;
    const enum rt_statement_field *fields;
    const char *doc;
};

extern const struct rt_statement_field_entry rt_statement_fields[RT_STATEMENT_FIELD_COUNT];
extern const struct rt_statement_kind_entry rt_statement_kinds[RT_STATEMENT_KIND_COUNT];
extern const char *const rt_statement_rule_words[];

// The forms of texts, for building and parsing alike.
bool rt_statement_id_valid(struct rt_bytes id);
// 1 to 200 bytes of UTF-8 on one line that show as what they are: no control or line-breaking
// characters, no bidirectional overrides, no blank at either end.
bool rt_statement_text_valid(struct rt_bytes text);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "proto/statement_table.h"

#include "common/base/text.h"

// Where a form keeps its value, given the table's word.
#define MEMBER_DIGEST(member) member
#define MEMBER_LINK(member)   member
#define MEMBER_ID(member)     member
#define MEMBER_U64(member)    member
#define MEMBER_ACTION(member) member
#define MEMBER_SEEN(member)   member
#define MEMBER_NONCE(member)  member
#define MEMBER_PAIRS(member)  pairs
#define MEMBER_TEXT(member)   member

const struct rt_statement_field_entry rt_statement_fields[RT_STATEMENT_FIELD_COUNT] = {
#define X(NAME, member, form, doc)                                                                 \
    {#member, RT_FORM_##form, offsetof(struct rt_statement, MEMBER_##form(member)), doc},
    RT_STATEMENT_FIELD_TABLE(X)
#undef X
};

#define F(NAME) RT_STATEMENT_FIELD_##NAME,
#define X(NAME, word, rule, fields, doc)                                                           \
    static const enum rt_statement_field fields_of_##NAME[] = {fields};
RT_STATEMENT_KIND_TABLE(X, F)
#undef X
#undef F

const struct rt_statement_kind_entry rt_statement_kinds[RT_STATEMENT_KIND_COUNT] = {
#define F(NAME)
#define X(NAME, word, rule, fields, doc)                                                           \
    {word,                                                                                         \
     RT_TYPE(word),                                                                                \
     RT_STATEMENT_RULE_##rule,                                                                     \
     sizeof fields_of_##NAME / sizeof *fields_of_##NAME,                                           \
     fields_of_##NAME,                                                                             \
     doc},
    RT_STATEMENT_KIND_TABLE(X, F)
#undef X
#undef F
};

const char *const rt_statement_rule_words[] = {
#define X(NAME, words) words,
    RT_STATEMENT_RULE_TABLE(X)
#undef X
};

const char *rt_statement_kind_word(enum rt_statement_kind kind)
{
    RT_ASSERT((unsigned)kind < RT_STATEMENT_KIND_COUNT);
    return rt_statement_kinds[kind].word;
}

const char *rt_statement_type(enum rt_statement_kind kind)
{
    RT_ASSERT((unsigned)kind < RT_STATEMENT_KIND_COUNT);
    return rt_statement_kinds[kind].type;
}

enum rt_statement_rule rt_statement_rule(enum rt_statement_kind kind)
{
    RT_ASSERT((unsigned)kind < RT_STATEMENT_KIND_COUNT);
    return rt_statement_kinds[kind].rule;
}

const char *rt_statement_action_word(enum rt_statement_action action)
{
    static const char *const words[] = {
#define X(NAME, word) word,
        RT_STATEMENT_ACTION_TABLE(X)
#undef X
    };
    RT_ASSERT((unsigned)action < RT_STATEMENT_ACTION_COUNT);
    return words[action];
}

bool rt_statement_id_valid(struct rt_bytes id)
{
    char text[RT_ID_BYTES + 1];
    if (id.size == 0 || id.size > RT_ID_BYTES || memchr(id.data, 0, id.size))
        return false;
    memcpy(text, id.data, id.size);
    text[id.size] = 0;
    return rt_id_valid(text);
}

// Code points that move, hide or break a line: C1 controls, line and paragraph separators, and the
// bidirectional controls (Unicode Bidirectional Algorithm, UAX 9).
static bool misleading(uint32_t point)
{
    return (point >= 0x80 && point <= 0x9f) || point == 0x2028 || point == 0x2029 ||
           point == 0x200e || point == 0x200f || (point >= 0x202a && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

bool rt_statement_text_valid(struct rt_bytes text)
{
    if (text.size == 0 || text.size > RT_STATEMENT_REASON_MOST || !rt_utf8_valid(text))
        return false;
    if (text.data[0] == ' ' || text.data[text.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20 || byte == 0x7f)
            return false;
        // Valid UTF-8, so the bytes that follow a lead byte are there.
        uint32_t point = 0;
        if ((byte & 0xe0) == 0xc0)
            point = (uint32_t)(byte & 0x1f) << 6 | (text.data[i + 1] & 0x3f);
        else if ((byte & 0xf0) == 0xe0)
            point = (uint32_t)(byte & 0x0f) << 12 | (uint32_t)(text.data[i + 1] & 0x3f) << 6 |
                    (text.data[i + 2] & 0x3f);
        if (misleading(point))
            return false;
    }
    return true;
}

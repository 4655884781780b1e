// SPDX-License-Identifier: Apache-2.0
// Do all phrasings of a scenario say the same? What a machine can see of it: placeholders, numbers
// and names of tools in each of a phrasing's texts.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "proto/doc/scenario_doc.h"

#define TOKENS_MOST 256

// Tokens of one text, as views, sorted and without repeats.
struct tokens {
    struct rt_bytes items[TOKENS_MOST];
    size_t count;
};

static int compare_tokens(const void *a, const void *b)
{
    return rt_bytes_compare(*(const struct rt_bytes *)a, *(const struct rt_bytes *)b);
}

static void add_token(struct tokens *tokens, const char *start, size_t size)
{
    if (tokens->count < TOKENS_MOST)
        tokens->items[tokens->count++] = rt_bytes(start, size);
}

static bool word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_tool(const struct rt_scenario *scenario, const char *start, size_t size)
{
    for (size_t t = 0; t < scenario->tool_count; t++)
        if (rt_bytes_equal_str(rt_bytes(start, size), scenario->tools[t].name))
            return true;
    return false;
}

// Placeholders whole ("{{host}}"), numbers as digits with inner points, tools by name.
static void collect(const struct rt_scenario *scenario, const char *text, struct tokens *tokens)
{
    tokens->count = 0;
    for (const char *p = text; *p;) {
        const char *close = strncmp(p, "{{", 2) == 0 ? strstr(p, "}}") : NULL;
        if (close) {
            add_token(tokens, p, (size_t)(close + 2 - p));
            p = close + 2;
        } else if (word_byte(*p)) {
            const char *start = p;
            bool digits = true;
            while (word_byte(*p) || (*p && strchr(".,-", *p) && word_byte(p[1]))) {
                digits = digits && (isdigit((unsigned char)*p) || strchr(".,", *p));
                p++;
            }
            if (digits || is_tool(scenario, start, (size_t)(p - start)))
                add_token(tokens, start, (size_t)(p - start));
        } else {
            p++;
        }
    }
    qsort(tokens->items, tokens->count, sizeof *tokens->items, compare_tokens);
    size_t kept = 0;
    for (size_t i = 0; i < tokens->count; i++)
        if (!kept || compare_tokens(&tokens->items[kept - 1], &tokens->items[i]) != 0)
            tokens->items[kept++] = tokens->items[i];
    tokens->count = kept;
}

static bool has_token(const struct tokens *tokens, struct rt_bytes token)
{
    return bsearch(&token, tokens->items, tokens->count, sizeof token, compare_tokens) != NULL;
}

// Tokens of a that b lacks, one finding each.
static size_t lacking(const struct tokens *a, const struct tokens *b, const char *name,
                      const char *variable, const struct rt_phrasing *with,
                      const struct rt_phrasing *without, struct rt_buf *out)
{
    size_t findings = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (has_token(b, a->items[i]))
            continue;
        rt_buf_printf(out, "%s:%u: `%s` has `%.*s` in phrasing `%s` and not in `%s`\n", name,
                      without->line, variable, (int)a->items[i].size,
                      (const char *)a->items[i].data, with->id, without->id);
        findings++;
    }
    return findings;
}

size_t rt_scenario_lint(const struct rt_scenario *scenario, const char *name, struct rt_buf *out)
{
    size_t findings = 0;
    const struct rt_phrasing *first = &scenario->phrasings[0];
    struct tokens mine, theirs;
    for (size_t p = 1; p < scenario->phrasing_count; p++) {
        const struct rt_phrasing *other = &scenario->phrasings[p];
        if (other->same_as != RT_NONE)
            continue;
        for (size_t v = 0; v < first->var_count; v++) {
            const char *variable = first->vars[v].name;
            const char *text = rt_pair_value(other->vars, other->var_count, variable);
            if (!text) {
                rt_buf_printf(out, "%s:%u: phrasing `%s` has no `%s`, which `%s` has\n", name,
                              other->line, other->id, variable, first->id);
                findings++;
                continue;
            }
            collect(scenario, first->vars[v].value, &mine);
            collect(scenario, text, &theirs);
            findings += lacking(&mine, &theirs, name, variable, first, other, out);
            findings += lacking(&theirs, &mine, name, variable, other, first, out);
        }
    }
    return findings;
}

// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "proto/bench.h"
#include "proto/doc/doc.h"

struct lint {
    const struct rt_bench *bench;
    const char *folder;
    struct rt_buf *out;
    size_t findings;
};

RT_PRINTF(4, 5)
static void find(struct lint *lint, const char *file, uint32_t line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (line)
        rt_buf_printf(lint->out, "%s:%" PRIu32 ": %s\n", file, line, text);
    else
        rt_buf_printf(lint->out, "%s: %s\n", file, text);
    lint->findings++;
}

static void check_canary(struct lint *lint, const char *file)
{
    char path[4096];
    struct rt_buf text;
    if (!*lint->bench->canary || !*file || rt_path_join(path, sizeof path, lint->folder, file))
        return;
    rt_buf_init(&text, RT_DOC_FILE_MOST + 1);
    struct rt_error err;
    if (!rt_file_read(path, &text, &err) && !strstr(rt_buf_str(&text), lint->bench->canary))
        find(lint, file, 0, "the bench's canary is not in this file; put it into a comment");
    rt_buf_release(&text);
}

// ---- phrasings

// A BCP 47 tag as far as its form goes: a language of two or three letters, then subtags.
static bool language_valid(const char *tag)
{
    size_t size = strspn(tag, "abcdefghijklmnopqrstuvwxyz");
    if (size < 2 || size > 3)
        return false;
    for (tag += size; *tag == '-'; tag += size + 1) {
        size = strspn(tag + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (size < 1 || size > 8)
            return false;
    }
    return *tag == 0;
}

static void check_phrasings(struct lint *lint, const struct rt_scenario *scenario, const char *file)
{
    bool null_pair = false;
    for (size_t i = 0; i < scenario->phrasing_count; i++) {
        const struct rt_phrasing *phrasing = &scenario->phrasings[i];
        null_pair = null_pair || phrasing->same_as != RT_NONE;
        if (!language_valid(phrasing->lang))
            find(lint, file, phrasing->line,
                 "language `%s` of phrasing `%s` is no BCP 47 tag; write en, es, de, pt-BR, ...",
                 phrasing->lang, phrasing->id);
        for (size_t j = 0; j < i; j++) {
            const struct rt_phrasing *other = &scenario->phrasings[j];
            bool same = phrasing->var_count == other->var_count && phrasing->var_count > 0;
            for (size_t v = 0; v < phrasing->var_count && same; v++)
                same = strcmp(phrasing->vars[v].value, other->vars[v].value) == 0;
            if (same && phrasing->same_as == RT_NONE && other->same_as == RT_NONE)
                find(lint, file, phrasing->line,
                     "phrasing `%s` says the same words as `%s`; mark a null pair with `same_as: "
                     "%s`",
                     phrasing->id, other->id, other->id);
        }
    }
    if (!null_pair)
        find(lint, file, scenario->phrasings[0].line,
             "no null pair shows the noise between phrasings; add `%sb: {same_as: %s}`",
             scenario->phrasings[0].id, scenario->phrasings[0].id);
}

// ---- outcomes and context

static void check_tests(struct lint *lint, const struct rt_scenario *scenario, const char *file)
{
    for (size_t o = 0; o < scenario->outcome_count; o++) {
        bool expected = false;
        for (size_t t = 0; t < scenario->test_count && !expected; t++)
            expected = strcmp(scenario->tests[t].expect, scenario->outcomes[o].label) == 0;
        for (size_t other = 0; other < o && !expected; other++)
            expected = strcmp(scenario->outcomes[other].label, scenario->outcomes[o].label) == 0;
        if (!expected)
            find(lint, file, scenario->outcomes[o].line, "no test expects `%s`; add one to `tests`",
                 scenario->outcomes[o].label);
    }
}

static void check_context(struct lint *lint, const struct rt_scenario *scenario, const char *file)
{
    size_t bytes = 0;
    for (size_t i = 0; i < scenario->file_count; i++)
        bytes += strlen(scenario->files[i].text);
    // Four bytes a token, as everywhere; the rest of the talk needs room besides.
    uint64_t tokens = bytes / 4 + scenario->limits.completion_tokens;
    if (scenario->file_count && scenario->limits.min_context < tokens)
        find(lint, file, scenario->files[0].line,
             "the files come to about %zu tokens, and %u may be answered; raise "
             "`limits.min_context` from %u to %" PRIu64 " or more",
             bytes / 4, scenario->limits.completion_tokens, scenario->limits.min_context, tokens);
}

// ---- the bench itself

static void check_provenance(struct lint *lint)
{
    const char *text = lint->bench->provenance;
    static const char *const forms[] = {"shadow-of: ", "imported-from: "};
    bool valid = strcmp(text, "original") == 0;
    for (size_t i = 0; i < 2; i++)
        valid = valid || (strncmp(text, forms[i], strlen(forms[i])) == 0 && text[strlen(forms[i])]);
    if (!valid)
        find(lint, "bench.yaml", 0,
             "`provenance` is `%s`; write original, \"shadow-of: BENCH\" or \"imported-from: "
             "SOURCE\"",
             text);
}

static void check_changes(struct lint *lint)
{
    const struct rt_bench *bench = lint->bench;
    const struct rt_change *last =
        bench->change_count ? &bench->changes[bench->change_count - 1] : NULL;
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&bench->content, digest);
    if (!last || strcmp(last->version, bench->version) != 0)
        find(lint, "bench.yaml", last ? last->line : 0,
             "the last entry of `changes` must be version `%s`: {version: \"%s\", date: "
             "YYYY-MM-DD, what: ..., digest: \"%s\"}",
             bench->version, bench->version, digest);
    else if (!last->has_digest)
        find(lint, "bench.yaml", last->line,
             "version `%s` does not say which content it has; add `digest: \"%s\"`", bench->version,
             digest);
    else if (!rt_digest_equal(&last->digest, &bench->content))
        find(lint, "bench.yaml", last->line,
             "the content is no longer that of version `%s`; raise `version`, say in `changes` "
             "what is new, with `digest: \"%s\"` once all is done",
             bench->version, digest);
    for (size_t i = 0; i < bench->change_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(bench->changes[i].version, bench->changes[j].version) == 0)
                find(lint, "bench.yaml", bench->changes[i].line,
                     "version `%s` is in `changes` twice; each change has a version of its own",
                     bench->changes[i].version);
}

size_t rt_bench_lint(const struct rt_bench *bench, const char *folder, struct rt_buf *out)
{
    struct lint lint = {bench, folder, out, 0};
    if (!*bench->licence)
        find(&lint, "bench.yaml", 0, "no `licence`; others cannot use the bench without one");
    if (!*bench->canary)
        find(
            &lint, "bench.yaml", 0,
            "no `canary`; a string in every file lets corpora be filtered (`bench new` makes one)");
    check_provenance(&lint);
    for (size_t i = 0; i < bench->scenario_count; i++) {
        const struct rt_scenario *scenario = bench->scenarios[i];
        const char *file = bench->entries[i].file;
        lint.findings += rt_scenario_lint(scenario, file, out);
        check_phrasings(&lint, scenario, file);
        check_tests(&lint, scenario, file);
        check_context(&lint, scenario, file);
        check_canary(&lint, file);
        for (size_t f = 0; f < scenario->file_count; f++)
            check_canary(&lint, scenario->files[f].path);
        if (scenario->judge)
            check_canary(&lint, scenario->judge->rubric);
    }
    check_changes(&lint);
    return lint.findings;
}

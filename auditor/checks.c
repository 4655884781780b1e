// SPDX-License-Identifier: Apache-2.0
#include "auditor/checks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/text.h"

enum kind { NEEDED, OPTIONAL, TRUST, COMPLETE };

static const struct {
    const char *clause;
    enum kind kind;
    const char *says;
} table[RT_CHECK_COUNT] = {
#define X(NAME, clause, kind, says) {clause, kind, says},
    RT_CHECK_TABLE(X)
#undef X
};

void rt_checks_init(struct rt_checks *checks)
{
    memset(checks, 0, sizeof *checks);
}

void rt_checks_look(struct rt_checks *checks, enum rt_check check)
{
    checks->rows[check].looked_at++;
}

// How many bytes the character at text has; 0 where no valid one begins.
static size_t character(const char *text)
{
    for (size_t size = 1, left = strnlen(text, 4); size <= left; size++)
        if (rt_utf8_valid(rt_bytes(text, size)))
            return size;
    return 0;
}

// Texts quote what a bundle holds: they must neither play tricks on a terminal nor be no JSON.
static void clean(char *text)
{
    while (*text) {
        size_t size = character(text);
        if (size == 0 || (unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
        text += size ? size : 1;
    }
}

void rt_checks_fail(struct rt_checks *checks, enum rt_check check, const char *place,
                    const char *format, ...)
{
    struct rt_check_row *row = &checks->rows[check];
    if (row->failures++ >= RT_CHECK_FINDINGS_MOST)
        return;
    struct rt_check_finding *finding = &row->findings[row->failures - 1];
    snprintf(finding->place, sizeof finding->place, "%s", place);
    va_list args;
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
    clean(finding->place);
    clean(finding->text);
}

void rt_checks_note(struct rt_checks *checks, enum rt_check check, const char *format, ...)
{
    struct rt_check_row *row = &checks->rows[check];
    va_list args;
    va_start(args, format);
    vsnprintf(row->note, sizeof row->note, format, args);
    va_end(args);
    clean(row->note);
}

// What a mirror need not have: it bears no campaign's report, and perhaps no campaign.
static bool is_needed(const struct rt_checks *checks, enum rt_check check)
{
    if (table[check].kind != NEEDED)
        return false;
    bool bundles_own = check == RT_CHECK_ORDER || check == RT_CHECK_DOCUMENTS ||
                       check == RT_CHECK_REPORT || check == RT_CHECK_PAGE ||
                       check == RT_CHECK_KEYS || check == RT_CHECK_MANIFEST;
    return !checks->mirror || !bundles_own;
}

bool rt_checks_hold(const struct rt_checks *checks, enum rt_check check)
{
    const struct rt_check_row *row = &checks->rows[check];
    return row->failures == 0 && (row->looked_at || !is_needed(checks, check));
}

enum rt_status rt_checks_verdict(const struct rt_checks *checks)
{
    bool trusted = true, complete = true;
    for (int i = 0; i < RT_CHECK_COUNT; i++) {
        if (rt_checks_hold(checks, (enum rt_check)i))
            continue;
        if (table[i].kind == TRUST)
            trusted = false;
        else if (table[i].kind == COMPLETE)
            complete = false;
        else
            return RT_CHECK_FAILED;
    }
    if (!trusted)
        return RT_POLICY;
    return complete ? RT_OK : RT_INCOMPLETE;
}

const char *rt_check_clause(enum rt_check check)
{
    return table[check].clause;
}

static const char *word(const struct rt_checks *checks, enum rt_check check)
{
    if (rt_checks_hold(checks, check))
        return checks->rows[check].looked_at ? "ok" : "-";
    return checks->rows[check].failures ? "FAIL" : "NONE";
}

void rt_checks_print(const struct rt_checks *checks, struct rt_buf *out)
{
    for (int i = 0; i < RT_CHECK_COUNT; i++) {
        const struct rt_check_row *row = &checks->rows[i];
        rt_buf_printf(out, "%-4s  %-10s %9" PRIu64 "  %s\n", word(checks, (enum rt_check)i),
                      table[i].clause, row->looked_at, table[i].says);
        if (*row->note)
            rt_buf_printf(out, "%29s%s\n", "", row->note);
        if (!row->failures && !rt_checks_hold(checks, (enum rt_check)i))
            rt_buf_printf(out, "%29snothing of the kind was reached\n", "");
        for (uint64_t f = 0; f < row->failures && f < RT_CHECK_FINDINGS_MOST; f++)
            rt_buf_printf(out, "%29s%s: %s\n", "", row->findings[f].place, row->findings[f].text);
        if (row->failures > RT_CHECK_FINDINGS_MOST)
            rt_buf_printf(out, "%29sand %" PRIu64 " more\n", "",
                          row->failures - RT_CHECK_FINDINGS_MOST);
    }
}

json_t *rt_checks_json(const struct rt_checks *checks)
{
    json_t *rows = json_array();
    for (int i = 0; i < RT_CHECK_COUNT; i++) {
        const struct rt_check_row *row = &checks->rows[i];
        json_t *findings = json_array();
        for (uint64_t f = 0; f < row->failures && f < RT_CHECK_FINDINGS_MOST; f++)
            if (json_array_append_new(findings,
                                      json_pack("{s:s, s:s}", "place", row->findings[f].place,
                                                "text", row->findings[f].text)))
                break;
        json_t *item =
            json_pack("{s:s, s:b, s:s, s:I, s:I, s:s, s:o}", "clause", table[i].clause, "ok",
                      (int)rt_checks_hold(checks, (enum rt_check)i), "says", table[i].says,
                      "looked_at", (json_int_t)row->looked_at, "failures",
                      (json_int_t)row->failures, "note", row->note, "findings", findings);
        if (json_array_append_new(rows, item)) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

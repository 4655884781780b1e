// SPDX-License-Identifier: Apache-2.0
// The document as text for a terminal of a given width.
#include <stdio.h>
#include <string.h>

#include "common/report/document.h"
#include "common/report/render.h"

#define GAP         2u
#define COLUMNS_MAX 32

struct screen {
    struct rt_buf *out;
    unsigned width;
    bool colour;
};

static const char *const colours[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[36m"};

static void start(const struct screen *screen, const char *code)
{
    if (screen->colour && *code)
        rt_buf_add_str(screen->out, code);
}

static void stop(const struct screen *screen, const char *code)
{
    if (screen->colour && *code)
        rt_buf_add_str(screen->out, "\033[0m");
}

// Columns a text takes: code points, which is right for the scripts our own words use.
static unsigned width_of(const char *text)
{
    unsigned columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

static void spaces(const struct screen *screen, unsigned count)
{
    for (; count; count--)
        rt_buf_add_u8(screen->out, ' ');
}

// Bytes of the piece of text that fits into `columns`, broken at a space where there is one.
static size_t piece(const char *text, unsigned columns)
{
    size_t at = 0, space = 0;
    unsigned used = 0;
    while (text[at]) {
        if (text[at] == ' ')
            space = at;
        if (((unsigned char)text[at] & 0xc0) != 0x80 && ++used > columns)
            return space ? space : at;
        at++;
    }
    return at;
}

static void paragraph(const struct screen *screen, const char *text, const char *bullet)
{
    unsigned indent = width_of(bullet);
    rt_buf_add_str(screen->out, bullet);
    while (*text) {
        size_t size = piece(text, screen->width - indent);
        rt_buf_add(screen->out, text, size);
        rt_buf_add_u8(screen->out, '\n');
        text += size;
        while (*text == ' ')
            text++;
        if (*text)
            spaces(screen, indent);
    }
}

// ---- tables

struct plan {
    bool shown[COLUMNS_MAX];
    unsigned width[COLUMNS_MAX];
    size_t dropped;
};

static unsigned total_width(const struct rt_page_table *table, const struct plan *plan)
{
    unsigned total = 0;
    for (size_t c = 0; c < table->column_count; c++)
        total += plan->shown[c] ? plan->width[c] + (total ? GAP : 0) : 0;
    return total;
}

// Leaves out columns from the highest priority down until the rest fits; what never goes may wrap.
static void make_plan(const struct rt_page_table *table, unsigned width, struct plan *ret)
{
    struct plan plan = {0};
    RT_ASSERT(table->column_count <= COLUMNS_MAX);
    for (size_t c = 0; c < table->column_count; c++) {
        plan.shown[c] = true;
        plan.width[c] = width_of(table->columns[c].heading);
        for (size_t r = 0; r < table->row_count; r++) {
            unsigned cell = width_of(table->rows[r].cells[c].text);
            plan.width[c] = cell > plan.width[c] ? cell : plan.width[c];
        }
    }
    for (unsigned priority = 9; priority > 0 && total_width(table, &plan) > width; priority--)
        for (size_t c = table->column_count; c-- > 0 && total_width(table, &plan) > width;)
            if (plan.shown[c] && table->columns[c].priority == priority) {
                plan.shown[c] = false;
                plan.dropped++;
            }
    while (total_width(table, &plan) > width) {
        size_t widest = table->column_count;
        for (size_t c = 0; c < table->column_count; c++)
            if (plan.shown[c] && !table->columns[c].number && plan.width[c] > 12 &&
                (widest == table->column_count || plan.width[c] > plan.width[widest]))
                widest = c;
        if (widest == table->column_count) {
            // Nothing can wrap: the rightmost goes, the first two stay.
            size_t last = table->column_count;
            while (last > 2 && !plan.shown[last - 1])
                last--;
            if (last <= 2)
                break;
            plan.shown[last - 1] = false;
            plan.dropped++;
            continue;
        }
        unsigned over = total_width(table, &plan) - width;
        plan.width[widest] = plan.width[widest] > over + 12 ? plan.width[widest] - over : 12;
    }
    *ret = plan;
}

// One line of a row: each cell's next piece. Returns whether a cell has more.
static bool table_line(const struct screen *screen, const struct rt_page_table *table,
                       const struct plan *plan, const char **rest, const enum rt_mark *marks,
                       bool strong)
{
    bool more = false;
    unsigned owed = 0; // spaces not yet written, so that no line ends with any
    for (size_t c = 0; c < table->column_count; c++) {
        if (!plan->shown[c])
            continue;
        size_t size = piece(rest[c], plan->width[c]);
        struct rt_bytes text = rt_bytes(rest[c], size);
        unsigned used = 0;
        for (size_t i = 0; i < size; i++)
            used += (text.data[i] & 0xc0) != 0x80;
        unsigned pad = plan->width[c] - (used < plan->width[c] ? used : plan->width[c]);
        const char *code = marks && marks[c] ? colours[marks[c]] : strong ? "\033[1m" : "";
        owed += table->columns[c].number ? pad : 0;
        if (size) {
            spaces(screen, owed);
            owed = 0;
            start(screen, code);
            rt_buf_add_bytes(screen->out, text);
            stop(screen, code);
        }
        owed += (table->columns[c].number ? 0 : pad) + GAP;
        rest[c] += size;
        while (*rest[c] == ' ')
            rest[c]++;
        more |= *rest[c] != 0;
    }
    rt_buf_add_u8(screen->out, '\n');
    return more;
}

static void table_row(const struct screen *screen, const struct rt_page_table *table,
                      const struct plan *plan, const struct rt_page_row *row)
{
    const char *rest[COLUMNS_MAX];
    enum rt_mark marks[COLUMNS_MAX];
    for (size_t c = 0; c < table->column_count; c++) {
        rest[c] = row->cells[c].text;
        marks[c] = row->cells[c].mark;
    }
    while (table_line(screen, table, plan, rest, marks, row->strong))
        continue;
}

static void show_table(const struct screen *screen, const struct rt_page_table *table)
{
    struct plan plan;
    make_plan(table, screen->width, &plan);
    rt_buf_add_u8(screen->out, '\n');
    start(screen, "\033[1m");
    paragraph(screen, table->caption, "");
    stop(screen, "\033[1m");
    const char *rest[COLUMNS_MAX];
    for (size_t c = 0; c < table->column_count; c++)
        rest[c] = table->columns[c].heading;
    while (table_line(screen, table, &plan, rest, NULL, false))
        continue;
    unsigned rule = total_width(table, &plan);
    for (unsigned i = 0; i < rule && i < screen->width; i++)
        rt_buf_add_str(screen->out, "\xe2\x94\x80");
    rt_buf_add_u8(screen->out, '\n');
    for (size_t r = 0; r < table->row_count; r++)
        table_row(screen, table, &plan, &table->rows[r]);
    if (plan.dropped) {
        char more[96];
        snprintf(more, sizeof more, "%zu more column%s in the HTML and JSON reports.", plan.dropped,
                 plan.dropped == 1 ? "" : "s");
        paragraph(screen, more, "  ");
    }
    for (size_t n = 0; n < table->note_count; n++)
        paragraph(screen, table->notes[n], "  ");
}

static void heading(const struct screen *screen, const char *text)
{
    rt_buf_add_str(screen->out, "\n\n");
    start(screen, "\033[1;4m");
    rt_buf_add_str(screen->out, text);
    stop(screen, "\033[1;4m");
    rt_buf_add_str(screen->out, "\n");
}

enum rt_status rt_report_terminal(struct rt_report *report, const struct rt_report_style *style,
                                  struct rt_buf *out)
{
    struct rt_document document;
    struct screen screen = {out, style->width ? style->width : 100, style->colour};
    enum rt_status status = rt_document_make(report, &document);
    if (status)
        return status;
    if (screen.width < 40)
        screen.width = 40;
    start(&screen, "\033[1m");
    paragraph(&screen, report->study->title, "");
    paragraph(&screen, report->headline, "");
    stop(&screen, "\033[1m");
    rt_buf_add_u8(out, '\n');
    for (size_t i = 0; i < report->finding_count; i++)
        paragraph(&screen, report->finding[i].text, "* ");
    rt_buf_add_u8(out, '\n');
    paragraph(&screen, report->next, "> ");
    for (size_t s = 0; s < document.section_count; s++) {
        const struct rt_page_section *section = &document.sections[s];
        heading(&screen, section->heading);
        paragraph(&screen, section->lead, "");
        for (size_t t = 0; t < section->table_count; t++)
            show_table(&screen, section->tables[t]);
    }
    return rt_buf_ok(out);
}

// SPDX-License-Identifier: Apache-2.0
// The document as one HTML file. Every text goes through escape(), every figure is in a table; the
// charts above the tables are drawn by the page's one script (html_charts.c).
#include "common/report/html.h"

#include <string.h>

#include "common/report/document.h"
#include "common/report/render.h"

static void escape(struct rt_buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            rt_buf_add_str(out, "&amp;");
            break;
        case '<':
            rt_buf_add_str(out, "&lt;");
            break;
        case '>':
            rt_buf_add_str(out, "&gt;");
            break;
        case '"':
            rt_buf_add_str(out, "&quot;");
            break;
        case '\'':
            rt_buf_add_str(out, "&#39;");
            break;
        default:
            rt_buf_add_u8(out, (uint8_t)*text);
        }
    }
}

static void element(struct rt_buf *out, const char *open, const char *text, const char *close)
{
    rt_buf_add_str(out, open);
    escape(out, text);
    rt_buf_add_str(out, close);
}

static const char *const mark_class[] = {"", "good", "bad", "warn", "null"};

// A mark on every cell of a row is the row's own.
static enum rt_mark row_mark(const struct rt_page_table *table, const struct rt_page_row *row)
{
    for (size_t c = 1; c < table->column_count; c++)
        if (row->cells[c].mark != row->cells[0].mark)
            return RT_MARK_NONE;
    return row->cells[0].mark;
}

// Long texts wrap; figures never do.
static bool wraps(const struct rt_page_table *table, size_t column)
{
    if (table->columns[column].number)
        return false;
    for (size_t r = 0; r < table->row_count; r++)
        if (strlen(table->rows[r].cells[column].text) > 40)
            return true;
    return false;
}

static void cell(struct rt_buf *out, const struct rt_page_table *table, size_t column,
                 const struct rt_page_cell *it, enum rt_mark of_row, bool wrap)
{
    bool first = column == 0;
    bool own = it->mark != RT_MARK_NONE && of_row == RT_MARK_NONE;
    bool pill = own && !table->columns[column].number;
    rt_buf_add_str(out, first ? "<th scope=\"row\"" : "<td");
    if (table->columns[column].number || wrap || own) {
        rt_buf_printf(out, " class=\"%s%s%s%s%s\"", table->columns[column].number ? "n" : "",
                      wrap ? "w" : "", (table->columns[column].number || wrap) && own ? " " : "",
                      own ? mark_class[it->mark] : "", "");
    }
    rt_buf_add_str(out, pill ? "><span class=\"pill\">" : ">");
    escape(out, strcmp(it->text, "-") == 0 ? "\xe2\x80\x93" : it->text);
    rt_buf_add_str(out, pill ? "</span>" : "");
    rt_buf_add_str(out, first ? "</th>" : "</td>");
}

static void head(struct rt_buf *out, const struct rt_page_table *table)
{
    rt_buf_add_str(out, "<thead><tr>");
    for (size_t c = 0; c < table->column_count; c++)
        element(out,
                table->columns[c].number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">",
                table->columns[c].heading, "</th>");
    rt_buf_add_str(out, "</tr></thead>\n<tbody>\n");
}

static void body(struct rt_buf *out, const struct rt_page_table *table)
{
    for (size_t r = 0; r < table->row_count; r++) {
        const struct rt_page_row *row = &table->rows[r];
        enum rt_mark mark = row_mark(table, row);
        if (mark || row->strong)
            rt_buf_printf(out, "<tr class=\"%s%s%s\">", mark_class[mark],
                          mark && row->strong ? " " : "", row->strong ? "strong" : "");
        else
            rt_buf_add_str(out, "<tr>");
        for (size_t c = 0; c < table->column_count; c++)
            cell(out, table, c, &row->cells[c], mark, wraps(table, c));
        rt_buf_add_str(out, "</tr>\n");
    }
}

static void show_table(struct rt_buf *out, const struct rt_page_table *table)
{
    rt_buf_add_str(out, table->row_count > 14 ? "<figure class=\"long\">\n" : "<figure>\n");
    if (table->folded)
        element(out, "<details open><summary>", table->caption, "</summary>\n");
    element(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"",
            table->caption, table->column_count > 5 ? "\">\n<table class=\"wide\"" : "\">\n<table");
    // A folded table's summary is its visible name; a screen reader wants it at the table too.
    if (table->folded)
        element(out, " aria-label=\"", table->caption, "\">");
    else
        element(out, "><caption>", table->caption, "</caption>");
    rt_buf_add_u8(out, '\n');
    head(out, table);
    body(out, table);
    rt_buf_add_str(out, "</tbody></table></div>\n");
    if (table->note_count) {
        rt_buf_add_str(out, "<figcaption>");
        for (size_t n = 0; n < table->note_count; n++) {
            const char *note = table->notes[n];
            bool dash = strncmp(note, "-: ", 3) == 0;
            rt_buf_add_str(out, dash ? "<p>\xe2\x80\x93: " : "<p>");
            element(out, "", dash ? note + 3 : note, "</p>");
        }
        rt_buf_add_str(out, "</figcaption>\n");
    }
    rt_buf_add_str(out, table->folded ? "</details></figure>\n" : "</figure>\n");
}

static void finding(struct rt_buf *out, const struct rt_report *report)
{
    rt_buf_add_str(out, "<section class=\"answer\" aria-labelledby=\"finding\">"
                        "<h2 id=\"finding\">What was found</h2>\n");
    element(out, "<p class=\"headline\">", report->headline, "</p>\n<dl>\n");
    for (size_t i = 0; i < report->finding_count; i++) {
        element(out, "<dt>", report->finding[i].topic, "</dt>");
        element(out, "<dd>", report->finding[i].text, "</dd>\n");
    }
    element(out, "</dl>\n<p class=\"next\"><b>Where to look next</b>", report->next,
            "</p></section>\n");
}

static void banner(struct rt_buf *out, const struct rt_study *study)
{
    for (size_t i = 0; i < study->subject_count; i++)
        if (study->subjects[i].synthetic) {
            element(out, "<p class=\"banner\">Synthetic subject: ", study->subjects[i].id,
                    " is an embedded stand-in with planted effects, no model.</p>\n");
        }
}

static void contents(struct rt_buf *out, const struct rt_document *document)
{
    rt_buf_add_str(out, "<nav aria-label=\"Contents\"><ul>");
    for (size_t s = 0; s < document->section_count; s++) {
        rt_buf_printf(out, "<li><a href=\"#%s\">", document->sections[s].id);
        element(out, "", document->sections[s].heading, "</a></li>");
    }
    rt_buf_add_str(out, "</ul></nav>\n");
}

enum rt_status rt_report_html(struct rt_report *report, struct rt_buf *out)
{
    struct rt_document document;
    const struct rt_study *study = report->study;
    enum rt_status status = rt_document_make(report, &document);
    if (status)
        return status;
    rt_buf_add_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                        "<meta name=\"color-scheme\" content=\"light dark\">\n");
    rt_html_policy(out);
    element(out, "<title>", study->title, "</title>\n<style>");
    rt_buf_add_str(out, rt_html_style);
    rt_buf_add_str(out, "</style>\n</head>\n<body>\n<header>\n");
    element(out, "<p class=\"kicker\">Ring trial report \xc2\xb7 ", study->id, "</p>\n");
    element(out, "<h1>", study->title, "</h1>\n");
    banner(out, study);
    rt_buf_add_str(out, "</header>\n<main>\n");
    finding(out, report);
    contents(out, &document);
    for (size_t s = 0; s < document.section_count; s++) {
        const struct rt_page_section *section = &document.sections[s];
        rt_buf_printf(out, "<section id=\"%s\" aria-labelledby=\"%s-h\"><h2 id=\"%s-h\">",
                      section->id, section->id, section->id);
        element(out, "", section->heading, "</h2>\n");
        element(out, "<p class=\"lead\">", section->lead, "</p>\n");
        for (size_t t = 0; t < section->table_count; t++)
            show_table(out, section->tables[t]);
        rt_buf_add_str(out, "</section>\n");
    }
    element(out, "</main>\n<footer><p>Cells ", report->cells_digest,
            ". The same study gives the same bytes.</p></footer>\n");
    status = rt_html_charts(report, out);
    rt_buf_add_str(out, "</body>\n</html>\n");
    return status ? status : rt_buf_ok(out);
}

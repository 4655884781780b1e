// SPDX-License-Identifier: Apache-2.0
#include "common/report/document.h"

#include <string.h>

// Room for one more in an arena array; false (and failed) when memory is out.
static bool grow(struct rt_document *document, void *array, size_t count, size_t *room, size_t each)
{
    void **place = array;
    if (document->failed)
        return false;
    if (count < *room)
        return true;
    size_t wanted = *room ? *room * 2 : 8;
    void *wider = rt_arena_array(document->arena, wanted, each);
    document->failed = !wider;
    if (!wider)
        return false;
    if (count)
        memcpy(wider, *place, count * each);
    *place = wider;
    *room = wanted;
    return true;
}

struct rt_page_section *rt_page_section(struct rt_document *document, const char *id,
                                        const char *heading, const char *lead)
{
    RT_ASSERT(document->section_count < document->section_room);
    struct rt_page_section *section = &document->sections[document->section_count++];
    *section = (struct rt_page_section){.id = id, .heading = heading, .lead = lead};
    return section;
}

struct rt_page_table *rt_page_table(struct rt_document *document, struct rt_page_section *section,
                                    const char *caption, const struct rt_page_column *columns)
{
    static struct rt_page_table nowhere; // written to only after a failure, never read
    struct rt_page_table *table = rt_arena_alloc(document->arena, sizeof *table);
    size_t count = 0;
    while (columns[count].heading)
        count++;
    struct rt_page_column *mine = rt_arena_array(document->arena, count, sizeof *mine);
    document->failed |= !table || !mine || !caption;
    if (!grow(document, &section->tables, section->table_count, &section->table_room,
              sizeof(struct rt_page_table *)))
        return &nowhere;
    memcpy(mine, columns, count * sizeof *mine);
    for (size_t c = 0; c < count; c++)
        if (strcmp(mine[c].heading, "rate") == 0)
            mine[c].heading = rt_words_figure(document->report->study);
    *table = (struct rt_page_table){.caption = caption, .columns = mine, .column_count = count};
    section->tables[section->table_count++] = table;
    return table;
}

void rt_page_row(struct rt_document *document, struct rt_page_table *table)
{
    if (!grow(document, &table->rows, table->row_count, &table->row_room, sizeof *table->rows))
        return;
    struct rt_page_cell *cells =
        rt_arena_array(document->arena, table->column_count, sizeof *cells);
    document->failed |= !cells;
    if (cells)
        table->rows[table->row_count++] = (struct rt_page_row){cells, false};
}

static struct rt_page_cell *last_cell(struct rt_page_table *table, bool filled)
{
    struct rt_page_row *row = &table->rows[table->row_count - 1];
    size_t at = 0;
    while (at < table->column_count && row->cells[at].text)
        at++;
    RT_ASSERT(filled ? at > 0 : at < table->column_count);
    return &row->cells[filled ? at - 1 : at];
}

void rt_page_text(struct rt_document *document, struct rt_page_table *table, const char *text)
{
    document->failed |= !text;
    if (!document->failed)
        last_cell(table, false)->text = text;
}

// Why a figure is missing is said once below the table.
static void undefined(struct rt_document *document, struct rt_page_table *table,
                      enum rt_reason reason)
{
    const char *note = rt_arena_printf(document->arena, "-: %s", rt_reason_text(reason));
    for (size_t i = 0; note && i < table->note_count; i++)
        if (strncmp(table->notes[i], "-: ", 3) == 0) {
            if (strstr(table->notes[i], rt_reason_text(reason)))
                return;
            table->notes[i] = rt_arena_printf(document->arena, "%s; or %s", table->notes[i],
                                              rt_reason_text(reason));
            document->failed |= !table->notes[i];
            return;
        }
    rt_page_note(document, table, note);
}

void rt_page_value(struct rt_document *document, struct rt_page_table *table, struct rt_value value)
{
    if (!rt_value_ok(value))
        undefined(document, table, value.reason);
    rt_page_text(document, table, rt_words_number(document->arena, value));
}

void rt_page_fine(struct rt_document *document, struct rt_page_table *table, struct rt_value value)
{
    if (!rt_value_ok(value))
        undefined(document, table, value.reason);
    rt_page_text(document, table, rt_words_fine(document->arena, value));
}

void rt_page_interval(struct rt_document *document, struct rt_page_table *table,
                      struct rt_interval interval)
{
    if (!rt_interval_ok(interval))
        undefined(document, table, interval.reason);
    rt_page_text(document, table, rt_words_interval(document->arena, interval));
}

void rt_page_percent(struct rt_document *document, struct rt_page_table *table,
                     struct rt_value share)
{
    if (!rt_value_ok(share))
        undefined(document, table, share.reason);
    rt_page_text(document, table, rt_words_percent(document->arena, share));
}

void rt_page_p(struct rt_document *document, struct rt_page_table *table, struct rt_value p)
{
    if (!rt_value_ok(p))
        undefined(document, table, p.reason);
    rt_page_text(document, table, rt_words_p(document->arena, p));
}

void rt_page_count(struct rt_document *document, struct rt_page_table *table, uint64_t count)
{
    rt_page_text(document, table, rt_words_count(document->arena, count));
}

void rt_page_mark(struct rt_page_table *table, enum rt_mark mark)
{
    if (table->row_count)
        last_cell(table, true)->mark = mark;
}

void rt_page_mark_row(struct rt_page_table *table, enum rt_mark mark)
{
    for (size_t i = 0; table->row_count && i < table->column_count; i++)
        table->rows[table->row_count - 1].cells[i].mark = mark;
}

void rt_page_note(struct rt_document *document, struct rt_page_table *table, const char *text)
{
    document->failed |= !text;
    if (grow(document, &table->notes, table->note_count, &table->note_room, sizeof *table->notes))
        table->notes[table->note_count++] = text;
}

const char *rt_page_about(struct rt_document *document, const struct rt_report_part *part)
{
    const struct rt_study *study = document->report->study;
    bool subjects = study->subject_count > 1, raters = study->rater_count > 1;
    if (!subjects && !raters)
        return "";
    return rt_arena_printf(document->arena, "%s%s%s%s",
                           subjects ? study->subjects[part->subject].id : "",
                           subjects && raters ? ", " : "", raters ? "rated by " : "",
                           raters ? study->raters[part->rater].id : "");
}

const char *rt_page_caption(struct rt_document *document, const struct rt_report_part *part,
                            const char *caption)
{
    const char *about = rt_page_about(document, part);
    return about && caption && *about ? rt_arena_printf(document->arena, "%s: %s", about, caption)
                                      : caption;
}

enum rt_status rt_document_make(struct rt_report *report, struct rt_document *ret)
{
    struct rt_document document = {.report = report, .arena = report->arena, .section_room = 24};
    document.sections =
        rt_arena_array(report->arena, document.section_room, sizeof *document.sections);
    if (!document.sections)
        return RT_NO_MEMORY;
    rt_layout_verdicts(&document);
    rt_layout_contrasts(&document);
    rt_layout_participation(&document);
    rt_layout_deviations(&document);
    rt_layout_agreement(&document);
    rt_layout_margins(&document);
    rt_layout_moves(&document);
    rt_layout_variance(&document);
    rt_layout_labs(&document);
    rt_layout_severity(&document);
    rt_layout_replication(&document);
    rt_layout_sensitivity(&document);
    rt_layout_raters(&document);
    rt_layout_incidents(&document);
    rt_layout_fingerprints(&document);
    rt_layout_method(&document);
    *ret = document;
    return document.failed ? RT_NO_MEMORY : RT_OK;
}

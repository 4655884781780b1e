// SPDX-License-Identifier: Apache-2.0
// A report laid out for people, before it is text or HTML: sections of tables whose cells are ready
// text. Terminal and HTML are both made from it, so they cannot say different things. Private to
// common/report. Pure; everything lives in the report's arena.
#ifndef RT_REPORT_DOCUMENT_H
#define RT_REPORT_DOCUMENT_H

#include "common/report/model.h"
#include "common/report/words.h"

enum rt_mark {
    RT_MARK_NONE,
    RT_MARK_GOOD, // replicates, within the limit
    RT_MARK_BAD,  // an odd lab, does not replicate, above the limit
    RT_MARK_WARN, // inconclusive, missing
    RT_MARK_NULL, // a null pair: the noise floor
};

struct rt_page_column {
    const char *heading;
    bool number;       // aligned right
    unsigned priority; // 0 stays; higher ones go first where room is short
};

struct rt_page_cell {
    const char *text;
    enum rt_mark mark;
};

struct rt_page_row {
    struct rt_page_cell *cells;
    bool strong; // a total, or the line the others are parts of
};

struct rt_page_table {
    const char *caption;
    struct rt_page_column *columns;
    size_t column_count;
    struct rt_page_row *rows;
    size_t row_count, row_room;
    const char **notes; // below the table
    size_t note_count, note_room;
    bool folded; // long: HTML shows it on request
};

struct rt_page_section {
    const char *id; // an HTML anchor
    const char *heading;
    const char *lead; // how to read it; "" for none
    struct rt_page_table **tables;
    size_t table_count, table_room;
};

struct rt_document {
    struct rt_report *report;
    struct rt_arena *arena;
    struct rt_page_section *sections;
    size_t section_count, section_room;
    bool failed; // memory
};

// Builds the whole document. RT_NO_MEMORY.
enum rt_status rt_document_make(struct rt_report *report, struct rt_document *ret) RT_WARN_UNUSED;

// ---- for the files that fill it in (layout_*.c)

struct rt_page_section *rt_page_section(struct rt_document *document, const char *id,
                                        const char *heading, const char *lead);
// columns ends with a NULL heading and is copied.
struct rt_page_table *rt_page_table(struct rt_document *document, struct rt_page_section *section,
                                    const char *caption, const struct rt_page_column *columns);
// A new row of the table; cells are filled from the left by the calls below.
void rt_page_row(struct rt_document *document, struct rt_page_table *table);
void rt_page_text(struct rt_document *document, struct rt_page_table *table, const char *text);
void rt_page_value(struct rt_document *document, struct rt_page_table *table,
                   struct rt_value value);
// Five decimals, for variances.
void rt_page_fine(struct rt_document *document, struct rt_page_table *table, struct rt_value value);
void rt_page_interval(struct rt_document *document, struct rt_page_table *table,
                      struct rt_interval interval);
void rt_page_percent(struct rt_document *document, struct rt_page_table *table,
                     struct rt_value share);
void rt_page_p(struct rt_document *document, struct rt_page_table *table, struct rt_value p);
void rt_page_count(struct rt_document *document, struct rt_page_table *table, uint64_t count);
void rt_page_mark(struct rt_page_table *table, enum rt_mark mark); // the last cell filled
void rt_page_mark_row(struct rt_page_table *table, enum rt_mark mark);
void rt_page_note(struct rt_document *document, struct rt_page_table *table, const char *text);

// "llama-8b, rated by rules", as far as there is more than one of either; "" else.
const char *rt_page_about(struct rt_document *document, const struct rt_report_part *part);
const char *rt_page_caption(struct rt_document *document, const struct rt_report_part *part,
                            const char *caption);

void rt_layout_verdicts(struct rt_document *document);
void rt_layout_contrasts(struct rt_document *document);
void rt_layout_participation(struct rt_document *document);
void rt_layout_agreement(struct rt_document *document);
void rt_layout_margins(struct rt_document *document);
void rt_layout_variance(struct rt_document *document);
void rt_layout_moves(struct rt_document *document);
void rt_layout_severity(struct rt_document *document);
void rt_layout_replication(struct rt_document *document);
void rt_layout_deviations(struct rt_document *document);
void rt_layout_labs(struct rt_document *document);
void rt_layout_sensitivity(struct rt_document *document);
void rt_layout_raters(struct rt_document *document);
void rt_layout_incidents(struct rt_document *document); // incidents.c
void rt_layout_fingerprints(struct rt_document *document);
// By lab: hashed, behavioural or declared, the weakest word of its fingerprints; NULL when no
// fingerprint says one (layout_identity.c).
const char **rt_layout_identity(struct rt_document *document);
void rt_layout_method(struct rt_document *document);
// Tables of a section.
void rt_layout_maps(struct rt_document *document, struct rt_page_section *section);
void rt_layout_reliability(struct rt_document *document, struct rt_page_section *section,
                           const struct rt_report_part *part);
void rt_layout_odds(struct rt_document *document, struct rt_page_section *section,
                    const struct rt_report_part *part);
void rt_layout_languages(struct rt_document *document, struct rt_page_section *section,
                         const struct rt_report_part *part);
void rt_layout_stacks(struct rt_document *document, struct rt_page_section *section,
                      const struct rt_report_part *part);
void rt_layout_odd_tests(struct rt_document *document, struct rt_page_section *section,
                         const struct rt_report_part *part);

#endif

// SPDX-License-Identifier: Apache-2.0
// Incidents as JSON and as tables.
#include "common/report/incidents.h"

#include <stdio.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/report/document.h"
#include "common/report/out.h"

#define DAY_MS        86400000.0
#define STAMP_MOST_MS 253402300799999 // the last stamp there is, in the year 9999

// ---- texts of others

bool rt_incident_next_line(struct rt_bytes *rest, struct rt_bytes *ret_line)
{
    if (rest->size == 0)
        return false;
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->data) : rest->size;
    *ret_line = rt_bytes(rest->data, size);
    rest->data += size + (end != NULL);
    rest->size -= size + (end != NULL);
    if (ret_line->size && ret_line->data[ret_line->size - 1] == '\r')
        ret_line->size--;
    return true;
}

// Bytes of the character at the start, 0 where it is none; *ret_point its code point.
static size_t character(struct rt_bytes text, uint32_t *ret_point)
{
    uint8_t lead = text.data[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size == 0 || size > text.size || !rt_utf8_valid(rt_bytes(text.data, size)))
        return 0;
    *ret_point = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        *ret_point = *ret_point << 6 | (text.data[i] & 0x3f);
    return size;
}

// Controls of C1, soft hyphen, zero-width and bidirectional characters, line separators, tags.
static bool misleading(uint32_t point)
{
    return (point >= 0x80 && point <= 0x9f) || point == 0xad || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xe0000 && point <= 0xe007f);
}

const char *rt_incident_line(struct rt_arena *arena, struct rt_bytes line)
{
    struct rt_buf out;
    rt_buf_init(&out, 16 * line.size + 16);
    while (line.size) {
        uint32_t point = 0;
        size_t size = character(line, &point);
        if (size == 0 || point < 0x20 || point == 0x7f)
            rt_buf_printf(&out, "\\x%02x", line.data[0]);
        else if (misleading(point))
            rt_buf_printf(&out, "\\u{%04x}", point);
        else
            rt_buf_add(&out, line.data, size);
        line.data += size ? size : 1;
        line.size -= size ? size : 1;
    }
    const char *text = rt_buf_ok(&out) ? NULL
                                       : rt_arena_strndup(arena, out.size ? (const char *)out.data
                                                                          : "", out.size);
    rt_buf_release(&out);
    return text;
}

// ---- JSON

static void put_stamp(struct rt_out *b, json_t *to, const char *name, int64_t at_ms)
{
    char text[RT_STAMP_BYTES];
    if (at_ms <= 0 || at_ms > STAMP_MOST_MS) {
        rt_out_put(b, to, name, json_null());
        return;
    }
    rt_stamp_format(at_ms, text);
    rt_out_put(b, to, name, json_string(text));
}

static json_t *step_json(struct rt_out *b, const struct rt_study_incident_step *step)
{
    json_t *to = rt_out_object(b), *evidence = rt_out_array(b);
    for (size_t i = 0; i < step->evidence_count; i++)
        rt_out_append(b, evidence, json_string(step->evidence[i]));
    rt_out_put_text(b, to, "step", step->step);
    rt_out_put_text(b, to, "vendor", step->vendor);
    rt_out_put_text(b, to, "reason", step->reason);
    rt_out_put(b, to, "text", json_stringn(step->text.size ? (const char *)step->text.data : "",
                                           step->text.size));
    rt_out_put_count(b, to, "severity", step->severity);
    rt_out_put_count(b, to, "index", step->index);
    put_stamp(b, to, "received", step->at_ms);
    rt_out_put(b, to, "evidence", evidence);
    return to;
}

static json_t *incident_json(struct rt_out *b, const struct rt_study_incident *incident)
{
    json_t *to = rt_out_object(b), *steps = rt_out_array(b);
    rt_out_put_text(b, to, "id", incident->id);
    rt_out_put_text(b, to, "subject", incident->subject);
    rt_out_put_text(b, to, "scenario", incident->scenario);
    rt_out_put_text(b, to, "category", incident->category);
    rt_out_put_text(b, to, "outcome", incident->outcome);
    rt_out_put_count(b, to, "severity", incident->severity);
    put_stamp(b, to, "opened", incident->opened_ms);
    put_stamp(b, to, "triaged", incident->triaged_ms);
    put_stamp(b, to, "vendor_notified", incident->notified_ms);
    put_stamp(b, to, "vendor_replied", incident->replied_ms);
    put_stamp(b, to, "remediated", incident->remediated_ms);
    put_stamp(b, to, "disputed", incident->disputed_ms);
    put_stamp(b, to, "embargo_until", incident->embargo_ms);
    for (size_t i = 0; i < incident->step_count; i++)
        rt_out_append(b, steps, step_json(b, &incident->steps[i]));
    rt_out_put(b, to, "steps", steps);
    return to;
}

// Mean days from opening to a moment, over the incidents that reached it; their number.
static size_t latency(const struct rt_study *study, bool remedied, double *ret_days)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < study->incident_count; i++) {
        const struct rt_study_incident *incident = &study->incidents[i];
        int64_t at_ms = remedied ? incident->remediated_ms : incident->triaged_ms;
        if (!at_ms)
            continue;
        sum += (double)(at_ms - incident->opened_ms) / DAY_MS;
        count++;
    }
    *ret_days = count ? sum / (double)count : 0;
    return count;
}

static void put_latency(struct rt_out *b, json_t *to, const char *name, bool remedied)
{
    double days;
    size_t count = latency(b->report->study, remedied, &days);
    json_t *row = rt_out_object(b);
    rt_out_put_count(b, row, "n", count);
    rt_out_put(b, row, "mean_days", count ? json_real(days) : json_null());
    rt_out_put(b, to, name, row);
}

json_t *rt_out_incidents(struct rt_out *b)
{
    const struct rt_study *study = b->report->study;
    json_t *to = rt_out_object(b), *rows = rt_out_array(b);
    size_t open = 0;
    for (size_t i = 0; i < study->incident_count; i++) {
        open += !study->incidents[i].remediated_ms;
        rt_out_append(b, rows, incident_json(b, &study->incidents[i]));
    }
    rt_out_put_count(b, to, "logged", study->incident_count);
    rt_out_put_count(b, to, "open", open);
    put_latency(b, to, "triage", false);
    put_latency(b, to, "remediation", true);
    rt_out_put(b, to, "rows", rows);
    return to;
}

// ---- tables

static const char *when(struct rt_document *document, int64_t at_ms)
{
    char text[RT_STAMP_BYTES];
    if (at_ms <= 0 || at_ms > STAMP_MOST_MS)
        return "-";
    rt_stamp_format(at_ms, text);
    return rt_arena_strndup(document->arena, text, 10);
}

static void overview(struct rt_document *document, struct rt_page_section *section)
{
    static const struct rt_page_column columns[] = {
        {"incident", false, 0}, {"severity", true, 0},  {"subject", false, 2},
        {"outcome", false, 2},  {"opened", false, 0},   {"triaged", false, 1},
        {"vendor told", false, 1}, {"remedied", false, 0}, {"embargo until", false, 1},
        {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    struct rt_page_table *table = rt_page_table(document, section, "What was found", columns);
    for (size_t i = 0; i < study->incident_count; i++) {
        const struct rt_study_incident *incident = &study->incidents[i];
        rt_page_row(document, table);
        rt_page_text(document, table, incident->id);
        rt_page_count(document, table, incident->severity);
        rt_page_text(document, table, incident->subject);
        rt_page_text(document, table, incident->outcome);
        rt_page_text(document, table, when(document, incident->opened_ms));
        rt_page_text(document, table, when(document, incident->triaged_ms));
        rt_page_text(document, table, when(document, incident->notified_ms));
        rt_page_text(document, table, when(document, incident->remediated_ms));
        rt_page_text(document, table, when(document, incident->embargo_ms));
        if (!incident->remediated_ms)
            rt_page_mark(table, RT_MARK_WARN);
    }
    double triage, remedy;
    size_t triaged = latency(study, false, &triage), remedied = latency(study, true, &remedy);
    if (triaged)
        rt_page_note(document, table,
                     rt_arena_printf(document->arena, "Opening to triage: %.2f days on average of "
                                     "%zu.", triage, triaged));
    if (remedied)
        rt_page_note(document, table,
                     rt_arena_printf(document->arena, "Opening to remedy: %.2f days on average of "
                                     "%zu.", remedy, remedied));
}

static void step_rows(struct rt_document *document, struct rt_page_table *table,
                      const struct rt_study_incident_step *step)
{
    struct rt_bytes rest = step->text, line;
    rt_page_row(document, table);
    rt_page_text(document, table, when(document, step->at_ms));
    rt_page_text(document, table, step->step);
    rt_page_text(document, table, step->vendor);
    rt_page_text(document, table, step->reason);
    while (rt_incident_next_line(&rest, &line) && !document->failed) {
        rt_page_row(document, table);
        for (int i = 0; i < 3; i++)
            rt_page_text(document, table, "");
        rt_page_text(document, table, rt_incident_line(document->arena, line));
    }
}

void rt_layout_incidents(struct rt_document *document)
{
    static const struct rt_page_column columns[] = {
        {"received", false, 0}, {"step", false, 0}, {"vendor", false, 1}, {"said", false, 0},
        {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    if (!study->incident_count)
        return;
    struct rt_page_section *section = rt_page_section(
        document, "incidents", "Incidents",
        "What was found beside the figures, who was told and when, and what was answered, word for "
        "word. Days are the log's. An embargo ends with its date, whoever agrees.");
    overview(document, section);
    for (size_t i = 0; i < study->incident_count && !document->failed; i++) {
        const struct rt_study_incident *incident = &study->incidents[i];
        struct rt_page_table *table = rt_page_table(document, section, incident->id, columns);
        for (size_t s = 0; s < incident->step_count && !document->failed; s++)
            step_rows(document, table, &incident->steps[s]);
    }
}

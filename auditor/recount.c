// SPDX-License-Identifier: Apache-2.0
// After the log: the facts as recounted, the report they give against the one that was published,
// and whether every lab has come to its end.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"
#include "common/report/render.h"
#include "common/web/web.h"

// ---- facts

static enum rt_study_lab_state state_of(const struct audit_lab *lab)
{
    switch (lab->end) {
    case AUDIT_CLOSED:
        return RT_STUDY_LAB_COMPLETED;
    case AUDIT_WITHDREW:
        return lab->accepted ? RT_STUDY_LAB_WITHDREW : RT_STUDY_LAB_DECLINED;
    case AUDIT_NO_RESPONSE:
        return RT_STUDY_LAB_NO_RESPONSE;
    default:
        return RT_STUDY_LAB_OPEN;
    }
}

static enum rt_status lab_facts(struct rt_audit *audit)
{
    const struct audit_campaign *target = audit->target;
    size_t count = audit->campaign->lab_count, ended = 0;
    audit->fact_labs = rt_arena_array(&audit->arena, count, sizeof *audit->fact_labs);
    if (!audit->fact_labs)
        return RT_NO_MEMORY;
    for (size_t l = 0; l < count; l++) {
        struct rt_facts_lab *to = &audit->fact_labs[l];
        const struct audit_lab *lab =
            audit_find_lab(target, rt_bytes_str(audit->campaign->labs[l].id));
        to->reason = "";
        to->counters = audit->tally.labs[l].counters;
        if (!lab)
            continue;
        to->state = state_of(lab);
        to->accepted = lab->accepted;
        to->late = lab->accepted && target->started && lab->accept_index > target->start_index;
        to->reason = lab->reason;
        ended += lab->end != AUDIT_OPEN;
    }
    if (target->state == RT_OFFER_CLOSING && ended == count)
        audit->target->state = RT_OFFER_CLOSED;
    return RT_OK;
}

static const struct rt_roster *campaign_roster(const struct rt_audit *audit)
{
    for (size_t i = 0; i < audit->roster_count; i++)
        if (rt_digest_equal(&audit->rosters[i]->digest, &audit->campaign->roster_digest))
            return audit->rosters[i];
    return NULL;
}

static enum rt_status make_report(struct rt_audit *audit)
{
    const struct audit_campaign *target = audit->target;
    enum rt_status status = lab_facts(audit);
    if (status)
        return status;
    rt_tally_finish(&audit->tally);
    struct rt_facts facts = {
        .campaign = audit->campaign,
        .roster = campaign_roster(audit),
        .labs = audit->fact_labs,
        .cells = audit->tally.cells,
        .cell_count = audit->tally.cell_count,
        .raters = audit->raters,
        .rater_count = audit->rater_count,
        .fingerprints = audit->fingerprints,
        .fingerprint_count = audit->fingerprint_count,
        .noted = &audit->noted,
        .origin = audit->checkpoint.origin,
        .size = audit->tree.size,
        .campaign_index = target->index,
        .registered_ms = target->registered_ms,
        .state = target->state,
        .started = target->started,
        .start_index = target->start_index,
        .started_ms = target->started_ms,
        .draw = audit->draw,
    };
    rt_tree_root(&audit->tree, &facts.root);
    status = rt_facts_study(&facts, &audit->arena, &audit->study);
    if (!status)
        status = rt_report_make(&audit->arena, &audit->study, &audit->report);
    audit->has_report = status == RT_OK;
    if (status && status != RT_NO_MEMORY) {
        rt_checks_fail(&audit->checks, RT_CHECK_REPORT, RT_EVIDENCE_REPORT,
                       "no report can be computed: %s", rt_status_text(status));
        status = RT_OK;
    }
    return status;
}

// ---- the published report

// A line of context for people: what stands where the two part.
static void excerpt(struct rt_bytes bytes, size_t at, char *ret_text, size_t capacity)
{
    size_t from = at > 30 ? at - 30 : 0, size = bytes.size - from;
    if (size > capacity - 1)
        size = capacity - 1;
    if (size)
        memcpy(ret_text, bytes.data + from, size);
    ret_text[size] = 0;
}

// A page without what a build without charts cannot make: the digest of its script in the policy,
// and the script elements before the end. Bytes that have neither stay as they are.
static void without_charts(struct rt_buf *page)
{
    static const char policy[] = "; script-src 'sha256-",
                      data[] = "<script type=\"application/json\"";
    static const char end[] = "</script>\n</body>\n</html>\n", tail[] = "</body>\n</html>\n";
    uint8_t *at = memmem(page->data, page->size, policy, sizeof policy - 1);
    uint8_t *close = at ? memchr(at + sizeof policy - 1, '\'',
                                 page->size - (size_t)(at - page->data) - (sizeof policy - 1))
                        : NULL;
    if (!close || page->size < sizeof end - 1 ||
        memcmp(page->data + page->size - (sizeof end - 1), end, sizeof end - 1) != 0)
        return;
    memmove(at, close + 1, page->size - (size_t)(close + 1 - page->data));
    page->size -= (size_t)(close + 1 - at);
    at = memmem(page->data, page->size, data, sizeof data - 1);
    if (!at)
        return;
    memcpy(at, tail, sizeof tail - 1);
    page->size = (size_t)(at - page->data) + sizeof tail - 1;
}

// whole: every byte; else the published page is taken without its charts.
static void compare(struct rt_audit *audit, enum rt_check check, const char *path, bool whole,
                    enum rt_status rendered)
{
    rt_checks_look(&audit->checks, check);
    rt_buf_clear(&audit->object);
    enum rt_status status = rt_folder_read(&audit->folder, path, &audit->object);
    if (!status && !whole)
        without_charts(&audit->object);
    struct rt_bytes has = rt_buf_bytes(&audit->object), should = rt_buf_bytes(&audit->text);
    if (status || rendered) {
        rt_checks_fail(&audit->checks, check, path, "%s",
                       status == RT_NOT_FOUND ? "is not here"
                                              : rt_status_text(status ? status : rendered));
        return;
    }
    if (rt_bytes_equal(has, should))
        return;
    size_t at = 0;
    char published[70], computed[70];
    while (at < has.size && at < should.size && has.data[at] == should.data[at])
        at++;
    excerpt(has, at, published, sizeof published);
    excerpt(should, at, computed, sizeof computed);
    rt_checks_fail(&audit->checks, check, path,
                   "differs from byte %zu on; published …%s…, recomputed …%s…", at, published,
                   computed);
}

static void compare_page(struct rt_audit *audit)
{
    enum rt_status status = rt_report_html(&audit->report, &audit->text);
    bool charts = rt_web_report_script().size > 0;
    compare(audit, RT_CHECK_PAGE, RT_EVIDENCE_HTML, charts, status);
    if (!charts)
        rt_checks_note(&audit->checks, RT_CHECK_PAGE,
                       "its charts are not compared: this program was built without any");
}

static void compare_reports(struct rt_audit *audit)
{
    rt_buf_clear(&audit->text);
    enum rt_status status = rt_report_json(&audit->report, &audit->text);
    compare(audit, RT_CHECK_REPORT, RT_EVIDENCE_REPORT, true, status);
    rt_buf_clear(&audit->text);
    compare_page(audit);
}

// ---- completeness

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t audit_missing(struct rt_audit *audit, uint32_t lab, uint64_t *ret_numbers, size_t most,
                       size_t *ret_count)
{
    const struct rt_tally_lab *row = &audit->tally.labs[lab];
    *ret_count = 0;
    // Without a start there is no run order; every trial is missing then.
    for (uint64_t p = 0; audit->target->started && p < row->total && *ret_count < most; p++) {
        if (rt_tally_standing(&audit->tally, lab, p) == RT_STANDING_FINAL)
            continue;
        if (!rt_lab_trial(&audit->plans[lab], &audit->orders[lab], p, &ret_numbers[*ret_count]))
            ++*ret_count;
    }
    if (*ret_count)
        qsort(ret_numbers, *ret_count, sizeof *ret_numbers, by_number);
    return row->total - row->final;
}

static void check_complete(struct rt_audit *audit)
{
    for (size_t l = 0; l < audit->campaign->lab_count; l++) {
        const struct rt_tally_lab *row = &audit->tally.labs[l];
        char place[RT_ID_BYTES + 16];
        rt_checks_look(&audit->checks, RT_CHECK_COMPLETE);
        if (audit->fact_labs[l].state != RT_STUDY_LAB_OPEN)
            continue;
        snprintf(place, sizeof place, "lab %s", audit->campaign->labs[l].id);
        rt_checks_fail(&audit->checks, RT_CHECK_COMPLETE, place,
                       "%s, and has neither closed nor left; %" PRIu64 " of its %" PRIu64
                       " trials have no final result",
                       audit->fact_labs[l].accepted ? "has accepted" : "has not accepted",
                       row->total - row->final, row->total);
    }
}

enum rt_status audit_recount(struct rt_audit *audit)
{
    if (audit->checks.mirror) {
        rt_checks_look(&audit->checks, RT_CHECK_COMPLETE);
        rt_checks_fail(&audit->checks, RT_CHECK_COMPLETE, RT_EVIDENCE_MIRROR,
                       "a mirror: the log in full, %" PRIu64 " objects of this campaign withheld",
                       audit->withheld);
    }
    if (!audit->target && audit->checks.mirror)
        return RT_OK;
    if (!audit->target) {
        rt_checks_fail(&audit->checks, RT_CHECK_DOCUMENTS,
                       audit->settings.campaign ? audit->settings.campaign : "objects/",
                       "the log registers no campaign whose object is in this bundle");
        return RT_OK;
    }
    enum rt_status status = make_report(audit);
    if (status || !audit->has_report)
        return status;
    if (!audit->checks.mirror)
        compare_reports(audit);
    check_complete(audit);
    // Figures of what happens to be here would be quoted as if they were the campaign's.
    audit->has_report = audit->has_report && !audit->withheld;
    return RT_OK;
}

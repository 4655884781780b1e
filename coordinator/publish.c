// SPDX-License-Identifier: Apache-2.0
#include "coordinator/publish.h"

#include "common/base/time.h"
#include "coordinator/gate.h"

static const char *stamp(int64_t at_ms, char ret_text[RT_STAMP_BYTES])
{
    rt_stamp_format(at_ms > RT_TIME_MOST_MS ? RT_TIME_MOST_MS : at_ms, ret_text);
    return ret_text;
}

static enum rt_status find_org(const struct rt_roster *roster, const char *id, bool *ret_trusted,
                               struct rt_error *err)
{
    for (size_t o = 0; o < roster->org_count; o++) {
        const struct rt_org *org = &roster->orgs[o];
        if (strcmp(org->id, id) != 0)
            continue;
        *ret_trusted = false;
        for (size_t p = 0; p < org->person_count; p++)
            if (org->people[p].roles & (RT_ROLE_OPERATOR | RT_ROLE_AUDITOR))
                *ret_trusted = true;
        return RT_OK;
    }
    return rt_error_set(err, RT_NOT_FOUND, "the roster has no organisation %s", id);
}

// The incident whose embargo lasts longest beyond now, or NULL.
static const struct rt_incident *embargoed(const struct rt_incident_book *book, int64_t now_ms)
{
    const struct rt_incident *last = NULL;
    for (size_t i = 0; i < book->incident_count; i++) {
        int64_t ends_ms = rt_incident_embargo_ms(book, book->incidents[i]);
        if (ends_ms > now_ms && (!last || ends_ms > rt_incident_embargo_ms(book, last)))
            last = book->incidents[i];
    }
    return last;
}

enum rt_status rt_publish_check(const struct rt_campaign_report *report, const char *whom,
                                int64_t now_ms, struct rt_error *err)
{
    const struct rt_campaign *campaign = report->campaign;
    char until[RT_STAMP_BYTES];
    bool trusted = false;
    if (whom) {
        enum rt_status status = find_org(report->roster, whom, &trusted, err);
        if (status)
            return status;
    }
    if (trusted || rt_release_granted(&report->noted, RT_RELEASE_RESULTS, whom, now_ms))
        return RT_OK;
    if (campaign->disclosure.embargo_until_ms > now_ms)
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "%s is under embargo until %s. An auditor's or operator's organisation "
                            "may have it (--for ORG); others need a release of results signed by "
                            "the data committee",
                            campaign->id, stamp(campaign->disclosure.embargo_until_ms, until));
    const struct rt_incident *incident = embargoed(&report->noted, now_ms);
    if (incident)
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "incident %s of %s is under embargo until %s, when it ends by itself. "
                            "An auditor's or operator's organisation may have the bundle (--for "
                            "ORG); `report --public` leaves the incident out",
                            incident->id, campaign->id,
                            stamp(rt_incident_embargo_ms(&report->noted, incident), until));
    return RT_OK;
}

static enum rt_status leave_out(struct rt_campaign_report *report, int64_t now_ms,
                                struct rt_error *err)
{
    struct rt_study *study = &report->study;
    struct rt_study_incident *kept =
        rt_arena_array(&report->arena, study->incident_count + 1, sizeof *kept);
    size_t count = 0;
    if (!kept)
        return rt_error_set(err, RT_NO_MEMORY, "the public report");
    for (size_t i = 0; i < study->incident_count; i++)
        if (study->incidents[i].embargo_ms <= now_ms)
            kept[count++] = study->incidents[i];
    size_t withheld = study->incident_count - count;
    study->incidents = kept;
    study->incident_count = count;
    if (!withheld)
        return RT_OK;
    const char *text = rt_arena_printf(&report->arena, "%zu", withheld);
    enum rt_status status =
        text ? rt_study_add_provenance(study, "incidents under embargo, not shown", text)
             : RT_NO_MEMORY;
    return status ? rt_error_set(err, status, "the public report") : RT_OK;
}

enum rt_status rt_publish_report(struct rt_campaign_report *report, int64_t now_ms,
                                 struct rt_error *err)
{
    const struct rt_campaign *campaign = report->campaign;
    struct rt_gate_facts facts = {
        .state = report->row.state,
        .embargo_until_ms = campaign->disclosure.embargo_until_ms,
        .published = true,
        .released = rt_release_granted(&report->noted, RT_RELEASE_RESULTS, NULL, now_ms),
    };
    char until[RT_STAMP_BYTES];
    if (rt_gate_allows(RT_READER_PUBLIC, RT_MATTER_OUTCOME, &facts, now_ms))
        return leave_out(report, now_ms, err);
    if (facts.embargo_until_ms > now_ms)
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "%s is under embargo until %s; a release of results to everyone, "
                            "signed by the data committee, would end it",
                            campaign->id, stamp(facts.embargo_until_ms, until));
    return rt_error_set(err, RT_NOT_PERMITTED,
                        "%s has not closed; until then everybody sees progress alone",
                        campaign->id);
}

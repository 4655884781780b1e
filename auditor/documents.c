// SPDX-License-Identifier: Apache-2.0
// The documents behind a campaign's digest, and the draw that orders its trials.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"
#include "proto/bench.h"

bool audit_object(struct rt_audit *audit, const struct rt_digest *digest, const char *named_by,
                  struct rt_buf *into)
{
    char path[RT_EVIDENCE_PATH_BYTES];
    rt_evidence_object_path(digest, path);
    rt_buf_clear(into);
    struct rt_folder_file *file = rt_folder_find(&audit->folder, path);
    struct rt_bytes bytes;
    enum rt_status status = RT_NOT_FOUND;
    if (file && rt_ahead_find(audit->ahead, audit->index, (size_t)(file - audit->folder.files),
                              &bytes)) {
        file->used = true;
        rt_buf_add_bytes(into, bytes);
        status = rt_buf_ok(into);
    } else if (file) {
        status = rt_folder_object(&audit->folder, digest, into);
    }
    if (!status)
        return true;
    if (status == RT_NOT_FOUND && audit->checks.mirror)
        audit->withheld++;
    else if (status == RT_NOT_FOUND)
        rt_checks_fail(&audit->checks, RT_CHECK_OBJECTS, path, "is named by %s and is not here",
                       named_by);
    else if (status != RT_CORRUPT) // that it has another digest is said once, for every file
        rt_checks_fail(&audit->checks, RT_CHECK_OBJECTS, path, "cannot be read: %s",
                       rt_status_text(status));
    return false;
}

static void refuse(struct rt_audit *audit, const struct rt_digest *digest, const char *text)
{
    char path[RT_EVIDENCE_PATH_BYTES];
    rt_evidence_object_path(digest, path);
    rt_checks_fail(&audit->checks, RT_CHECK_DOCUMENTS, path, "%s", text);
}

static bool wanted(const struct rt_audit *audit, const struct audit_campaign *campaign)
{
    const char *name = audit->settings.campaign;
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&campaign->digest, digest);
    return !name || strcmp(name, campaign->name) == 0 ||
           (strncmp(name, "sha256:", 7) == 0 && strncmp(digest, name, strlen(name)) == 0);
}

static bool same_labels(const struct rt_campaign *campaign, const struct rt_bench *bench)
{
    if (campaign->label_count != bench->label_count)
        return false;
    for (size_t i = 0; i < bench->label_count; i++)
        if (strcmp(campaign->labels[i].id, bench->labels[i].id) != 0 ||
            campaign->labels[i].severity != bench->labels[i].severity)
            return false;
    return true;
}

static bool has_entry(const struct rt_bench *bench, const struct rt_campaign_scenario *scenario)
{
    for (size_t i = 0; i < bench->scenario_count; i++)
        if (strcmp(bench->entries[i].id, scenario->id) == 0)
            return rt_digest_equal(&bench->entries[i].digest, &scenario->digest);
    return false;
}

static void check_bench(struct rt_audit *audit, const struct rt_campaign *campaign)
{
    struct rt_bench *bench = NULL;
    rt_checks_look(&audit->checks, RT_CHECK_DOCUMENTS);
    if (!audit_object(audit, &campaign->bench_digest, "the campaign", &audit->object))
        return;
    if (rt_bench_decode(rt_buf_bytes(&audit->object), &audit->scratch, &bench)) {
        refuse(audit, &campaign->bench_digest, "is not a bench");
        return;
    }
    bool right = strcmp(bench->id, campaign->bench_id) == 0 &&
                 strcmp(bench->version, campaign->bench_version) == 0 &&
                 bench->crossed == campaign->crossed && same_labels(campaign, bench);
    for (size_t s = 0; s < campaign->scenario_count; s++)
        right = right && has_entry(bench, &campaign->scenarios[s]);
    if (!right)
        refuse(audit, &campaign->bench_digest, "is not the bench that the campaign says it is");
}

static bool same_arms(const struct rt_campaign_scenario *row, const struct rt_scenario *scenario)
{
    if (row->arm_count != scenario->arm_count)
        return false;
    for (size_t a = 0; a < row->arm_count; a++)
        if (strcmp(row->arms[a].id, scenario->arms[a].id) != 0 ||
            row->arms[a].role != scenario->arms[a].role)
            return false;
    return true;
}

static bool has_phrasings(const struct rt_campaign_scenario *row,
                          const struct rt_scenario *scenario)
{
    for (size_t p = 0; p < row->phrasing_count; p++) {
        bool found = false;
        for (size_t i = 0; i < scenario->phrasing_count; i++)
            found = found || strcmp(row->phrasings[p].id, scenario->phrasings[i].id) == 0;
        if (!found)
            return false;
    }
    return true;
}

static void check_scenario(struct rt_audit *audit, const struct rt_campaign_scenario *row)
{
    struct rt_scenario *scenario = NULL;
    rt_arena_clear(&audit->scratch);
    if (audit_left_out(audit, &row->digest, "scenarios", row->id))
        return;
    rt_checks_look(&audit->checks, RT_CHECK_DOCUMENTS);
    if (!audit_object(audit, &row->digest, "the campaign", &audit->object))
        return;
    if (rt_scenario_decode(rt_buf_bytes(&audit->object), &audit->scratch, &scenario))
        refuse(audit, &row->digest, "is not a scenario");
    else if (strcmp(scenario->id, row->id) != 0 || !same_arms(row, scenario) ||
             !has_phrasings(row, scenario))
        refuse(audit, &row->digest, "is not the scenario that the campaign says it is");
}

static const struct rt_roster *roster_of(const struct rt_audit *audit,
                                         const struct rt_digest *digest)
{
    for (size_t i = 0; i < audit->roster_count; i++)
        if (rt_digest_equal(&audit->rosters[i]->digest, digest))
            return audit->rosters[i];
    return NULL;
}

// The campaign's object against its statement and the roster.
static bool is_registered(struct rt_audit *audit, const struct rt_campaign *campaign)
{
    const struct rt_statement *statement = &audit->statement;
    const struct rt_roster *roster = roster_of(audit, &campaign->roster_digest);
    bool right = rt_digest_equal(&campaign->digest, &statement->campaign) &&
                 rt_digest_equal(&campaign->bench_digest, &statement->bench) &&
                 rt_digest_equal(&campaign->roster_digest, &statement->roster) &&
                 rt_bytes_equal_str(statement->name, campaign->id) && roster;
    for (size_t l = 0; right && l < campaign->lab_count; l++)
        right = rt_roster_lab_index(roster, campaign->labs[l].id) != RT_NONE;
    return right;
}

static enum rt_status start_tally(struct rt_audit *audit)
{
    uint64_t totals[RT_LABS_MOST];
    static const struct rt_digest no_draw; // how many trials a lab has does not depend on it
    size_t labs = audit->campaign->lab_count;
    audit->plans = rt_arena_array(&audit->arena, labs, sizeof *audit->plans);
    audit->orders = rt_arena_array(&audit->arena, labs, sizeof *audit->orders);
    if (!audit->plans || !audit->orders)
        return RT_NO_MEMORY;
    for (uint32_t l = 0; l < labs; l++) {
        rt_lab_plan_init(&audit->plans[l], audit->campaign, l, &no_draw);
        totals[l] = audit->plans[l].count;
    }
    audit->has_tally = true;
    return rt_tally_init(&audit->tally, totals, labs);
}

enum rt_status audit_adopt_campaign(struct rt_audit *audit, struct audit_campaign *campaign)
{
    char path[RT_EVIDENCE_PATH_BYTES];
    rt_evidence_object_path(&campaign->digest, path);
    if (!wanted(audit, campaign) || !rt_folder_find(&audit->folder, path))
        return RT_OK;
    rt_checks_look(&audit->checks, RT_CHECK_DOCUMENTS);
    if (audit->target && audit->checks.mirror)
        return RT_OK; // the first, or the one that --campaign names
    if (audit->target) {
        rt_checks_fail(&audit->checks, RT_CHECK_DOCUMENTS, path,
                       "a second campaign in one bundle; say which with --campaign");
        return RT_OK;
    }
    if (!audit_object(audit, &campaign->digest, audit->place, &audit->object))
        return RT_OK;
    struct rt_bytes copy = rt_arena_bytes(&audit->arena, rt_buf_bytes(&audit->object));
    if (!copy.data)
        return RT_NO_MEMORY;
    enum rt_status status = rt_campaign_decode(copy, &audit->arena, &audit->campaign);
    if (status == RT_NO_MEMORY)
        return status;
    if (status || !is_registered(audit, audit->campaign)) {
        refuse(audit, &campaign->digest,
               status ? "is not a campaign" : "is not what its statement registers");
        audit->campaign = NULL;
        return RT_OK;
    }
    audit->target = campaign;
    rt_incident_book_init(&audit->noted, &audit->arena,
                          audit->campaign->disclosure.remediation_window_ms);
    status = audit_redacted(audit);
    if (status)
        return status;
    check_bench(audit, audit->campaign);
    for (size_t s = 0; s < audit->campaign->scenario_count; s++)
        check_scenario(audit, &audit->campaign->scenarios[s]);
    return start_tally(audit);
}

enum rt_status audit_draw(struct rt_audit *audit)
{
    const struct audit_campaign *target = audit->target;
    rt_trial_draw(&target->hash, target->accepts, target->accept_count, &audit->draw);
    for (uint32_t l = 0; l < audit->campaign->lab_count; l++)
        rt_lab_plan_init(&audit->plans[l], audit->campaign, l, &audit->draw);
    return RT_OK;
}

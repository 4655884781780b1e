// SPDX-License-Identifier: Apache-2.0
// Incidents, releases and revocations: each step after the one it follows, each record the one the
// statement names, each release by the data committee's threshold.
#include <inttypes.h>
#include <stdio.h>

#include "auditor/audit.h"

static void refuse(struct rt_audit *audit, const char *text)
{
    rt_checks_fail(&audit->checks, RT_CHECK_INCIDENTS, audit->place, "%s", text);
}

static bool committee_met(struct rt_audit *audit)
{
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    size_t count = audit->statement.signature_count;
    for (size_t i = 0; i < count; i++)
        keys[i] = audit->signers[i].key;
    return rt_roster_threshold(audit_roster_now(audit), "release", keys, count,
                               audit->statement.received_ms, audit->index) == RT_OK;
}

// The record is read, and what shows it, as far as it came with it.
static bool read_record(struct rt_audit *audit)
{
    struct rt_object_incident record;
    if (!audit_object(audit, &audit->statement.record, audit->place, &audit->object))
        return false;
    if (rt_object_incident_decode(rt_buf_bytes(&audit->object), &audit->scratch, &record, NULL))
        return true; // said by the book
    for (size_t i = 0; i < record.evidence_count; i++) {
        char path[RT_EVIDENCE_PATH_BYTES];
        rt_evidence_object_path(&record.evidence[i], path);
        if (audit_left_out(audit, &record.evidence[i], "evidence", path + strlen("objects/")))
            continue;
        if (rt_folder_find(&audit->folder, path))
            (void)audit_object(audit, &record.evidence[i], audit->place, &audit->second);
    }
    return true;
}

enum rt_status audit_take_noted(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct audit_campaign *campaign = audit_find_campaign(audit, &statement->campaign);
    bool incident = statement->kind == RT_STATEMENT_INCIDENT;
    rt_checks_look(&audit->checks, RT_CHECK_INCIDENTS);
    if (!campaign) {
        refuse(audit, "is about a campaign that is not in the log before it");
        return RT_OK;
    }
    if (incident && statement->seq <= campaign->seq)
        refuse(audit, "its seq is not above the one before");
    if (incident && statement->seq > campaign->seq)
        campaign->seq = statement->seq;
    if (statement->kind == RT_STATEMENT_RELEASE && !committee_met(audit)) {
        rt_checks_fail(&audit->checks, RT_CHECK_SIGNATURES, audit->place,
                       "the release is not signed by as many of the data committee as the roster "
                       "asks for");
        return RT_OK;
    }
    if (campaign != audit->target || (incident && !read_record(audit)))
        return RT_OK;
    struct rt_bytes none = {NULL, 0};
    enum rt_status status = rt_incident_book_add(&audit->noted, statement, audit->index,
                                                 incident ? rt_buf_bytes(&audit->object) : none);
    if (status == RT_CONFLICT || status == RT_TOO_LARGE) {
        // The step has no effect for anybody; that it is there at all is worth saying.
        rt_checks_note(&audit->checks, RT_CHECK_INCIDENTS, "%s has no effect: %s", audit->place,
                       status == RT_CONFLICT ? audit->noted.wrong : "one step too many");
        status = RT_OK;
    }
    return status;
}

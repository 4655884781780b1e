// SPDX-License-Identifier: Apache-2.0
// Incidents of the log in a study's terms.
#include "proto/incident.h"
#include "proto/study_parts.h"

static const char *text_of(struct rt_facts_build *build, struct rt_bytes text)
{
    return rt_arena_strndup(build->arena, text.size ? (const char *)text.data : "", text.size);
}

static enum rt_status set_step(struct rt_facts_build *build, const struct rt_incident_entry *from,
                               struct rt_study_incident_step *to)
{
    size_t count = from->record.evidence_count;
    to->step = rt_incident_step_words[from->step];
    to->vendor = text_of(build, from->record.vendor);
    to->reason = rt_arena_strdup(build->arena, from->reason);
    to->text = rt_arena_bytes(build->arena, from->record.text);
    to->severity = (uint32_t)from->severity;
    to->index = from->index;
    to->at_ms = from->received_ms;
    to->evidence = rt_arena_array(build->arena, count + 1, sizeof *to->evidence);
    if (!to->vendor || !to->reason || !to->evidence || (from->record.text.size && !to->text.data))
        return RT_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        char digest[RT_DIGEST_TEXT_BYTES];
        rt_digest_format(&from->record.evidence[i], digest);
        to->evidence[i] = rt_arena_strdup(build->arena, digest);
        if (!to->evidence[i])
            return RT_NO_MEMORY;
    }
    to->evidence_count = count;
    return RT_OK;
}

static enum rt_status set_incident(struct rt_facts_build *build, const struct rt_incident *from,
                                   struct rt_study_incident *to)
{
    const struct rt_object_incident *opened = &from->entries[0]->record;
    struct rt_study_incident_step *steps =
        rt_arena_array(build->arena, from->entry_count, sizeof *steps);
    *to = (struct rt_study_incident){
        .id = rt_arena_strdup(build->arena, from->id),
        .subject = text_of(build, opened->subject),
        .scenario = text_of(build, opened->scenario),
        .category = text_of(build, opened->category),
        .outcome = text_of(build, opened->outcome),
        .severity = (uint32_t)from->severity,
        .opened_ms = from->opened_ms,
        .triaged_ms = from->triaged_ms,
        .notified_ms = from->notified_ms,
        .replied_ms = from->replied_ms,
        .remediated_ms = from->remediated_ms,
        .disputed_ms = from->disputed_ms,
        .embargo_ms = rt_incident_embargo_ms(build->facts->noted, from),
        .steps = steps,
        .step_count = from->entry_count,
    };
    enum rt_status status =
        steps && to->id && to->subject && to->scenario && to->category && to->outcome
            ? RT_OK
            : RT_NO_MEMORY;
    for (size_t i = 0; i < from->entry_count && !status; i++)
        status = set_step(build, from->entries[i], &steps[i]);
    return status;
}

enum rt_status rt_facts_add_incidents(struct rt_facts_build *build)
{
    const struct rt_incident_book *book = build->facts->noted;
    if (!book || !book->incident_count)
        return RT_OK;
    struct rt_study_incident *rows =
        rt_arena_array(build->arena, book->incident_count, sizeof *rows);
    enum rt_status status = rows ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < book->incident_count && !status; i++)
        status = set_incident(build, book->incidents[i], &rows[i]);
    build->study->incidents = rows;
    build->study->incident_count = status ? 0 : book->incident_count;
    return status;
}

static enum rt_status say(struct rt_facts_build *build, const char *name, const char *value)
{
    return name && value ? rt_study_add_provenance(build->study, name, value) : RT_NO_MEMORY;
}

// Approvals as registered, and the data committee's grants with purpose, end and revocation.
enum rt_status rt_facts_add_grants(struct rt_facts_build *build)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    const struct rt_incident_book *book = build->facts->noted;
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < campaign->approval_count && !status; i++) {
        const struct rt_approval *approval = &campaign->approvals[i];
        char digest[RT_DIGEST_TEXT_BYTES] = "no digest";
        if (approval->has_digest)
            rt_digest_format(&approval->digest, digest);
        status = say(build,
                     rt_arena_printf(build->arena, "approval %zu, %s", i + 1, approval->kind),
                     rt_arena_printf(build->arena, "%s, %s", approval->ref, digest));
    }
    for (size_t i = 0; book && i < book->grant_count && !status; i++) {
        const struct rt_grant *grant = book->grants[i];
        char until[RT_STAMP_BYTES] = "no end", revoked[RT_STAMP_BYTES] = "";
        if (grant->until_ms > 0 && grant->until_ms <= RT_TIME_MOST_MS)
            rt_stamp_format(grant->until_ms, until);
        if (grant->revoked)
            rt_stamp_format(grant->revoked_ms, revoked);
        status = say(build, rt_arena_printf(build->arena, "release %s", grant->id),
                     rt_arena_printf(build->arena, "%s to %s until %s, for: %s%s%s%s%s",
                                     rt_release_words[grant->what], grant->to, until,
                                     grant->purpose, grant->revoked ? "; revoked " : "", revoked,
                                     grant->revoked ? ": " : "",
                                     grant->revoked ? grant->revoked_because : ""));
    }
    return status;
}

// SPDX-License-Identifier: Apache-2.0
#include "proto/object_incident.h"

#include "common/base/text.h"
#include "proto/schema_define.h"

const char *const rt_incident_step_words[RT_INCIDENT_STEP_COUNT + 1] = {
#define X(name, word) word,
    RT_INCIDENT_STEP_TABLE(X)
#undef X
        NULL,
};

static bool is_id(struct rt_bytes text, bool may_be_empty)
{
    char id[RT_ID_BYTES + 1];
    if (text.size == 0)
        return may_be_empty;
    if (text.size > RT_ID_BYTES || memchr(text.data, 0, text.size))
        return false;
    memcpy(id, text.data, text.size);
    id[text.size] = 0;
    return rt_id_valid(id);
}

static bool asks_for_vendor(enum rt_incident_step step)
{
    return step == RT_INCIDENT_VENDOR_NOTIFIED || step == RT_INCIDENT_VENDOR_REPLY;
}

static enum rt_status check_incident(const void *record)
{
    const struct rt_object_incident *incident = record;
    bool opened = incident->step == RT_INCIDENT_OPENED;
    bool right = is_id(incident->incident, false) && is_id(incident->subject, true) &&
                 is_id(incident->scenario, true) && is_id(incident->category, true) &&
                 is_id(incident->outcome, true) && is_id(incident->lab, true) &&
                 is_id(incident->vendor, !asks_for_vendor(incident->step));
    if (!opened)
        right = right && !incident->subject.size && !incident->scenario.size &&
                !incident->category.size && !incident->outcome.size && !incident->lab.size &&
                !incident->trial;
    if (incident->step != RT_INCIDENT_VENDOR_NOTIFIED)
        right = right && !incident->window_ms;
    return right ? RT_OK : RT_MALFORMED;
}

static void repair_incident(void *record)
{
    static const struct rt_bytes none = {NULL, 0};
    struct rt_object_incident *incident = record;
    incident->incident = rt_bytes_str("leak-1");
    incident->subject = incident->scenario = incident->category = incident->outcome =
        incident->lab = none;
    incident->vendor = asks_for_vendor(incident->step) ? rt_bytes_str("vendor-x") : none;
    incident->trial = incident->step == RT_INCIDENT_OPENED ? incident->trial : 0;
    incident->window_ms =
        incident->step == RT_INCIDENT_VENDOR_NOTIFIED ? incident->window_ms : 0;
}

RT_RECORD_DEFINE(rt_object_incident, "incident", RT_OBJECT_VERSION, RT_INCIDENT_FIELDS,
                 check_incident, repair_incident,
                 "One step of an incident at length. All but `text` are ids; subject, scenario, "
                 "category, outcome, lab and trial belong to `opened`, window_ms to "
                 "`vendor-notified`.")

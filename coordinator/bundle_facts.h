// SPDX-License-Identifier: Apache-2.0
// One campaign's report out of the store: cells, labs and documents read in one snapshot, beside a
// running server or without it. Its cost follows the design's size, never the number of trials or
// of leaves. Writes nothing. One thread.
#ifndef RT_COORDINATOR_BUNDLE_FACTS_H
#define RT_COORDINATOR_BUNDLE_FACTS_H

#include "common/report/model.h"
#include "coordinator/store/store.h"
#include "proto/study.h"

struct rt_campaign_report {
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_roster *roster; // the one the campaign was compiled against
    struct rt_core_campaign_row row;
    struct rt_store_head head; // of the snapshot
    struct rt_facts facts;
    struct rt_incident_book noted; // incidents and releases
    int64_t *refused; // results of each lab that were refused: the coordinator's own count, of
                      // which the log knows nothing
    struct rt_study study;
    struct rt_report report;
};

// name: the campaign's id or the start of its digest. Release it in any case.
enum rt_status rt_campaign_report_make(struct rt_store *store, const char *name,
                                       struct rt_campaign_report *ret_report,
                                       struct rt_error *err) RT_WARN_UNUSED;
void rt_campaign_report_release(struct rt_campaign_report *report);

#endif

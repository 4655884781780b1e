// SPDX-License-Identifier: Apache-2.0
// What an operator may give out of a campaign, and to whom: embargo dates of the campaign and of
// its incidents, which end by themselves, and the data committee's releases. The rule for readers
// who come by themselves is gate.h; this one is for what is written to be handed on. One thread.
#ifndef RT_COORDINATOR_PUBLISH_H
#define RT_COORDINATOR_PUBLISH_H

#include "coordinator/bundle_facts.h"

// May a bundle of this campaign be made for whom (an organisation of the roster; NULL: everybody)
// at this time? Organisations with an operator or an auditor may have it at any time; others need
// the dates to be over or a release of results to them. RT_NOT_PERMITTED with the date and the
// remedy, RT_NOT_FOUND for an organisation the roster does not have.
enum rt_status rt_publish_check(const struct rt_campaign_report *report, const char *whom,
                                int64_t now_ms, struct rt_error *err) RT_WARN_UNUSED;

// Make the report one for everybody: refused until the campaign has closed and its embargo is over
// (or its results are released), and then without the incidents whose embargo is not. Says how many
// it left out in the report's provenance.
enum rt_status rt_publish_report(struct rt_campaign_report *report, int64_t now_ms,
                                 struct rt_error *err) RT_WARN_UNUSED;

#endif

// SPDX-License-Identifier: Apache-2.0
// The roster, field by field.
#include "proto/doc/roster_doc.h"

#define VKEY_MOST (RT_VKEY_TEXT_BYTES - 1)

static const char *const kind_words[] = {"university",    "company",     "government",
                                         "civil-society", "independent", NULL};

static const struct rt_doc_field valid_fields[] = {
    {"from", RT_DOC_DATE, RT_DOC_REQUIRED, RT_AT(rt_roster, from_ms)},
    {"until", RT_DOC_DATE, RT_DOC_REQUIRED, RT_AT(rt_roster, until_ms)},
};
static const struct rt_doc_table valid_table = {
    .name = "valid", .size = sizeof(struct rt_roster), RT_DOC_FIELDS(valid_fields)};

static const struct rt_doc_field coordinator_fields[] = {
    {"address", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_roster, address),
     .least = 7, .most = 256, .help = "tcp://host:port"},
    {"curve", RT_DOC_CURVE, RT_DOC_REQUIRED, RT_AT(rt_roster, curve), .help = "transport key"},
    {"log", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_roster, log_text), .least = 1,
     .most = VKEY_MOST, .help = "vkey of the log: origin+hash+key"},
};
static const struct rt_doc_table coordinator_table = {
    .name = "coordinator", .size = sizeof(struct rt_roster), RT_DOC_FIELDS(coordinator_fields)};

static const struct rt_doc_field threshold_fields[] = {
    {"threshold", RT_DOC_TEXT, RT_DOC_KEYED | RT_DOC_IS_ID, RT_AT(rt_threshold, id)},
    {"role", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_threshold, role_name),
     .least = 1, .help = "whose keys count"},
    {"sign", RT_DOC_U32, RT_DOC_REQUIRED, RT_AT(rt_threshold, sign), .least = 1, .most = 64,
     .help = "how many unique keys"},
    {"from", RT_DOC_U32, 0, RT_AT(rt_threshold, from), .most = 5, .preset = "1",
     .help = "how many kinds of organisation"},
};
static const struct rt_doc_table threshold_table = {.name = "a threshold",
                                                    .size = sizeof(struct rt_threshold),
                                                    .line_offset =
                                                        offsetof(struct rt_threshold, line),
                                                    RT_DOC_FIELDS(threshold_fields)};

static const struct rt_doc_field vendor_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_vendor, id), .least = 1},
    {"families", RT_DOC_TEXTS, RT_DOC_IS_ID, RT_COUNTED(rt_vendor, families, family_count),
     .most = 64},
    {"contact", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_vendor, contact), .most = 256},
    {"window", RT_DOC_DURATION, 0, RT_AT(rt_vendor, window_ms)},
};
static const struct rt_doc_table vendor_table = {
    .name = "a vendor", .size = sizeof(struct rt_vendor), RT_DOC_FIELDS(vendor_fields)};

static const struct rt_doc_field interest_fields[] = {
    {"fact", RT_DOC_PAIRS, RT_DOC_REST | RT_DOC_ONE_LINE,
     RT_COUNTED(rt_interest, facts, fact_count), .most = 16},
};
static const struct rt_doc_table interest_table = {
    .name = "an interest", .size = sizeof(struct rt_interest), RT_DOC_FIELDS(interest_fields)};

static const struct rt_doc_field lab_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_roster_lab, id), .least = 1},
    {"sign", RT_DOC_KEY, RT_DOC_REQUIRED, RT_AT(rt_roster_lab, sign), .help = "identity key"},
    {"curve", RT_DOC_CURVE, RT_DOC_REQUIRED, RT_AT(rt_roster_lab, curve), .help = "transport key"},
    {"cosign", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_roster_lab, cosign), .most = VKEY_MOST,
     .help = "vkey of its checkpoint cosigner"},
    {"classes", RT_DOC_TEXTS, RT_DOC_IS_ID, RT_COUNTED(rt_roster_lab, classes, class_count),
     .most = 64, .help = "data classes it is cleared for"},
    {"serves", RT_DOC_TEXTS, RT_DOC_IS_ID, RT_COUNTED(rt_roster_lab, serves, serve_count),
     .most = 256, .help = "subjects it can run"},
    {"from", RT_DOC_DATE, 0, RT_AT(rt_roster_lab, from_ms)},
    {"until", RT_DOC_DATE, 0, RT_AT(rt_roster_lab, until_ms)},
};
static const struct rt_doc_table lab_table = {.name = "a lab",
                                              .size = sizeof(struct rt_roster_lab),
                                              .line_offset = offsetof(struct rt_roster_lab, line),
                                              RT_DOC_FIELDS(lab_fields)};

static const struct rt_doc_field person_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_roster_person, id), .least = 1},
    {"roles", RT_DOC_TEXTS, RT_DOC_REQUIRED | RT_DOC_IS_ID,
     RT_COUNTED(rt_roster_person, role_names, role_count), .least = 1, .most = 10,
     .help = "root, operator, board, data-committee, auditor, steering, rater, witness"},
    {"sign", RT_DOC_KEY, RT_DOC_REQUIRED, RT_AT(rt_roster_person, sign)},
    {"curve", RT_DOC_CURVE, 0, RT_AT(rt_roster_person, curve), RT_HAS(rt_roster_person, has_curve),
     .help = "transport key, for those who dial in"},
    {"witness", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_roster_person, witness), .most = VKEY_MOST,
     .help = "vkey of a witness"},
    {"from", RT_DOC_DATE, 0, RT_AT(rt_roster_person, from_ms)},
    {"until", RT_DOC_DATE, 0, RT_AT(rt_roster_person, until_ms)},
};
static const struct rt_doc_table person_table = {.name = "a person",
                                                 .size = sizeof(struct rt_roster_person),
                                                 .line_offset =
                                                     offsetof(struct rt_roster_person, line),
                                                 RT_DOC_FIELDS(person_fields)};

static const struct rt_doc_field org_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_org, id), .least = 1},
    {"name", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_org, name), .most = 256},
    {"kind", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_org, kind), .words = kind_words},
    {"interests", RT_DOC_LIST, 0, RT_COUNTED(rt_org, interests, interest_count),
     .item = &interest_table, .most = 64, .help = "printed in every report"},
    {"labs", RT_DOC_LIST, 0, RT_COUNTED(rt_org, labs, lab_count), .item = &lab_table, .most = 256},
    {"people", RT_DOC_LIST, 0, RT_COUNTED(rt_org, people, person_count), .item = &person_table,
     .most = 256},
};
static const struct rt_doc_table org_table = {.name = "an organisation",
                                              .size = sizeof(struct rt_org),
                                              .line_offset = offsetof(struct rt_org, line),
                                              RT_DOC_FIELDS(org_fields)};

static const struct rt_doc_field revocation_fields[] = {
    {"key", RT_DOC_KEY, RT_DOC_REQUIRED, RT_AT(rt_revocation, key)},
    {"lab", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_revocation, lab)},
    {"person", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_revocation, person)},
    {"at_index", RT_DOC_U64, 0, RT_AT(rt_revocation, at_index),
     .help = "first log index at which it no longer counts"},
    {"at", RT_DOC_DATE, RT_DOC_REQUIRED, RT_AT(rt_revocation, at_ms)},
    {"reason", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_revocation, reason),
     .least = 1, .most = 256},
    {"successor", RT_DOC_KEY, 0, RT_AT(rt_revocation, successor),
     RT_HAS(rt_revocation, has_successor)},
};
static const struct rt_doc_table revocation_table = {.name = "a revocation",
                                                     .size = sizeof(struct rt_revocation),
                                                     .line_offset =
                                                         offsetof(struct rt_revocation, line),
                                                     RT_DOC_FIELDS(revocation_fields)};

static const struct rt_doc_field roster_fields[] = {
    RT_DOC_FORMAT_FIELD,
    {"roster", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_roster, id), .least = 1,
     .help = "the consortium's id"},
    {"version", RT_DOC_U64, RT_DOC_REQUIRED, RT_AT(rt_roster, version), .least = 1, .most = 1000000,
     .help = "1, and one more each time"},
    {"previous", RT_DOC_DIGEST, 0, RT_AT(rt_roster, previous), RT_HAS(rt_roster, has_previous),
     .help = "digest of the roster before; absent in version 1"},
    {"valid", RT_DOC_STRUCT, RT_DOC_REQUIRED, .item = &valid_table},
    {"coordinator", RT_DOC_STRUCT, RT_DOC_REQUIRED, .item = &coordinator_table},
    {"thresholds", RT_DOC_MAP, RT_DOC_REQUIRED, RT_COUNTED(rt_roster, thresholds, threshold_count),
     .item = &threshold_table, .least = 1, .most = 16},
    {"terms", RT_DOC_PAIRS, RT_DOC_ONE_LINE, RT_COUNTED(rt_roster, terms, term_count), .most = 64},
    {"vendors", RT_DOC_LIST, 0, RT_COUNTED(rt_roster, vendors, vendor_count), .item = &vendor_table,
     .most = 256, .help = "told before disclosure; cannot veto"},
    {"organisations", RT_DOC_LIST, RT_DOC_REQUIRED, RT_COUNTED(rt_roster, orgs, org_count),
     .item = &org_table, .least = 1, .most = 1024},
    {"revoked", RT_DOC_LIST, 0, RT_COUNTED(rt_roster, revoked, revoked_count),
     .item = &revocation_table, .most = 4096},
};
const struct rt_doc_table rt_roster_table = {.name = "the roster",
                                             .version = 1,
                                             .size = sizeof(struct rt_roster),
                                             RT_DOC_FIELDS(roster_fields)};

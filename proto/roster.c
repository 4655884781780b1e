// SPDX-License-Identifier: Apache-2.0
#include "proto/roster.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/doc/roster_doc.h"

struct finish {
    struct rt_doc_reader *reader;
    struct rt_roster *roster;
};

static const struct {
    const char *text;
    enum rt_role role;
} roles[] = {
#define X(name, text, bit) {text, RT_ROLE_##name},
    RT_ROLE_TABLE(X)
#undef X
};
#define ROLE_COUNT (sizeof roles / sizeof *roles)

const char *rt_role_text(enum rt_role role)
{
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (roles[i].role == role)
            return roles[i].text;
    return "?";
}

static enum rt_status role_of(const struct finish *finish, uint32_t line, const char *text,
                              enum rt_role *ret_role)
{
    const char *list[ROLE_COUNT + 1];
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        list[i] = roles[i].text;
        if (strcmp(text, roles[i].text) == 0) {
            *ret_role = roles[i].role;
            return RT_OK;
        }
    }
    list[ROLE_COUNT] = NULL;
    return rt_doc_fail(finish->reader, RT_MALFORMED, line, "role `%s` does not exist%s", text,
                       rt_doc_suggest(finish->reader, text, list));
}

static enum rt_status check_vkey(const struct finish *finish, uint32_t line, const char *what,
                                 const char *text, enum rt_note_type type)
{
    struct rt_vkey vkey;
    if (!*text || (rt_vkey_parse(rt_bytes_str(text), &vkey) == RT_OK && vkey.type == type))
        return RT_OK;
    return rt_doc_fail(finish->reader, RT_MALFORMED, line,
                       "`%s` must be a verifier key (name+hash+base64) of %s", what,
                       type == RT_NOTE_ED25519 ? "a log" : "a cosigner");
}

static enum rt_status check_dates(const struct finish *finish, uint32_t line, int64_t from_ms,
                                  int64_t until_ms)
{
    if (!until_ms || from_ms < until_ms)
        return RT_OK;
    return rt_doc_fail(finish->reader, RT_MALFORMED, line, "`until` is not after `from`");
}

// ---- signers

static struct rt_signer *add_signer(struct rt_roster *roster, const struct rt_public_key *key,
                                    const char *name, uint32_t mask, uint32_t org)
{
    struct rt_signer *signer = &roster->signers[roster->signer_count++];
    struct rt_digest digest;
    rt_sha256(rt_bytes(key->bytes, sizeof key->bytes), &digest);
    *signer = (struct rt_signer){.key = *key,
                                 .roles = mask,
                                 .org = org,
                                 .lab = RT_NONE,
                                 .name = name,
                                 .from_ms = roster->from_ms,
                                 .until_ms = roster->until_ms};
    memcpy(signer->key_id, digest.bytes, sizeof signer->key_id);
    return signer;
}

static struct rt_signer *signer_with(struct rt_roster *roster, const struct rt_public_key *key)
{
    for (size_t i = 0; i < roster->signer_count; i++)
        if (rt_public_key_equal(&roster->signers[i].key, key))
            return &roster->signers[i];
    return NULL;
}

static uint32_t lab_row(const struct rt_roster *roster, const char *id)
{
    for (uint32_t i = 0; i < roster->lab_count; i++)
        if (strcmp(roster->labs[i]->id, id) == 0)
            return i;
    return RT_NONE;
}

static const struct rt_roster_person *person_row(const struct rt_roster *roster, const char *id,
                                                 uint32_t *ret_org)
{
    for (uint32_t o = 0; o < roster->org_count; o++)
        for (size_t p = 0; p < roster->orgs[o].person_count; p++)
            if (strcmp(roster->orgs[o].people[p].id, id) == 0) {
                *ret_org = o;
                return &roster->orgs[o].people[p];
            }
    return NULL;
}

// A key that was revoked stays a signer of whoever held it, so that what it signed before can still
// be verified.
static enum rt_status add_revocation(const struct finish *finish, const struct rt_revocation *row)
{
    struct rt_roster *roster = finish->roster;
    struct rt_signer *signer = signer_with(roster, &row->key);
    if (signer && signer->revoked)
        return rt_doc_fail(finish->reader, RT_CONFLICT, row->line, "this key is revoked twice");
    if (!signer) {
        uint32_t org = RT_NONE, lab = *row->lab ? lab_row(roster, row->lab) : RT_NONE;
        const struct rt_roster_person *person =
            *row->person ? person_row(roster, row->person, &org) : NULL;
        if (lab == RT_NONE && !person)
            return rt_doc_fail(finish->reader, RT_NOT_FOUND, row->line,
                               "a revoked key needs `lab:` or `person:` and its holder in the "
                               "roster");
        uint32_t mask = person ? person->roles : RT_ROLE_LAB;
        signer = add_signer(roster, &row->key, person ? person->id : roster->labs[lab]->id, mask,
                            person ? org : roster->lab_orgs[lab]);
        signer->lab = lab;
        signer->from_ms = 0;
    }
    signer->revoked = true;
    signer->revoked_index = row->at_index;
    signer->revoked_ms = row->at_ms;
    return RT_OK;
}

static enum rt_status add_lab(const struct finish *finish, uint32_t row)
{
    struct rt_roster *roster = finish->roster;
    const struct rt_roster_lab *lab = roster->labs[row];
    enum rt_status status =
        check_vkey(finish, lab->line, "cosign", lab->cosign, RT_NOTE_COSIGNATURE);
    if (!status)
        status = check_dates(finish, lab->line, lab->from_ms, lab->until_ms);
    if (!status && signer_with(roster, &lab->sign))
        status = rt_doc_fail(finish->reader, RT_CONFLICT, lab->line,
                             "the signing key of lab `%s` is also `%s`'s; each needs its own",
                             lab->id, signer_with(roster, &lab->sign)->name);
    if (status)
        return status;
    struct rt_signer *signer =
        add_signer(roster, &lab->sign, lab->id, RT_ROLE_LAB, roster->lab_orgs[row]);
    signer->lab = row;
    if (lab->from_ms)
        signer->from_ms = lab->from_ms;
    if (lab->until_ms)
        signer->until_ms = lab->until_ms;
    return RT_OK;
}

static enum rt_status add_person(const struct finish *finish, struct rt_roster_person *person,
                                 uint32_t org)
{
    struct rt_roster *roster = finish->roster;
    enum rt_status status =
        check_vkey(finish, person->line, "witness", person->witness, RT_NOTE_COSIGNATURE);
    if (!status)
        status = check_dates(finish, person->line, person->from_ms, person->until_ms);
    person->roles = 0;
    for (size_t r = 0; r < person->role_count && !status; r++) {
        enum rt_role role;
        status = role_of(finish, person->line, person->role_names[r], &role);
        if (!status && role & (RT_ROLE_LAB | RT_ROLE_COORDINATOR))
            status = rt_doc_fail(finish->reader, RT_MALFORMED, person->line,
                                 "role `%s` is no person's; labs are listed under `labs`, the "
                                 "coordinator under `coordinator`",
                                 person->role_names[r]);
        if (!status)
            person->roles |= role;
    }
    if (!status && signer_with(roster, &person->sign))
        status = rt_doc_fail(finish->reader, RT_CONFLICT, person->line,
                             "the signing key of `%s` is also `%s`'s; each needs its own",
                             person->id, signer_with(roster, &person->sign)->name);
    if (status)
        return status;
    struct rt_signer *signer = add_signer(roster, &person->sign, person->id, person->roles, org);
    if (person->from_ms)
        signer->from_ms = person->from_ms;
    if (person->until_ms)
        signer->until_ms = person->until_ms;
    return RT_OK;
}

static int compare_signers(const void *a, const void *b)
{
    const struct rt_signer *x = a, *y = b;
    int order = memcmp(x->key_id, y->key_id, sizeof x->key_id);
    return order ? order : memcmp(x->key.bytes, y->key.bytes, sizeof x->key.bytes);
}

// ---- labs and transport keys

static int compare_labs(const void *a, const void *b)
{
    return strcmp((*(const struct rt_roster_lab *const *)a)->id,
                  (*(const struct rt_roster_lab *const *)b)->id);
}

static enum rt_status derive_labs(const struct finish *finish)
{
    struct rt_roster *roster = finish->roster;
    size_t count = 0;
    for (size_t o = 0; o < roster->org_count; o++)
        count += roster->orgs[o].lab_count;
    if (count > RT_ROSTER_SIGNERS_MOST)
        return rt_doc_fail(finish->reader, RT_TOO_LARGE, 0, "more than %d labs",
                           RT_ROSTER_SIGNERS_MOST);
    roster->labs = rt_arena_array(finish->reader->arena, count, sizeof *roster->labs);
    roster->lab_orgs = rt_arena_array(finish->reader->arena, count, sizeof *roster->lab_orgs);
    if (!roster->labs || !roster->lab_orgs)
        return rt_doc_no_memory(finish->reader);
    roster->lab_count = 0;
    for (size_t o = 0; o < roster->org_count; o++)
        for (size_t l = 0; l < roster->orgs[o].lab_count; l++)
            roster->labs[roster->lab_count++] = &roster->orgs[o].labs[l];
    if (count)
        qsort(roster->labs, count, sizeof *roster->labs, compare_labs);
    for (size_t i = 1; i < count; i++)
        if (strcmp(roster->labs[i - 1]->id, roster->labs[i]->id) == 0)
            return rt_doc_fail(finish->reader, RT_CONFLICT, roster->labs[i]->line,
                               "lab `%s` is in the roster twice", roster->labs[i]->id);
    for (size_t i = 0; i < count; i++)
        for (uint32_t o = 0; o < roster->org_count; o++)
            for (size_t l = 0; l < roster->orgs[o].lab_count; l++)
                if (roster->labs[i] == &roster->orgs[o].labs[l])
                    roster->lab_orgs[i] = o;
    return RT_OK;
}

static int compare_peers(const void *a, const void *b)
{
    return memcmp(((const struct rt_peer_key *)a)->curve.bytes,
                  ((const struct rt_peer_key *)b)->curve.bytes, RT_CURVE_KEY_BYTES);
}

static void add_peer(struct rt_roster *roster, const struct rt_curve_public *curve,
                     const struct rt_public_key *sign)
{
    const struct rt_signer *signer = signer_with(roster, sign);
    roster->peers[roster->peer_count++] =
        (struct rt_peer_key){*curve, (uint32_t)(signer - roster->signers)};
}

static enum rt_status derive_peers(const struct finish *finish)
{
    struct rt_roster *roster = finish->roster;
    roster->peers =
        rt_arena_array(finish->reader->arena, roster->signer_count, sizeof *roster->peers);
    if (!roster->peers)
        return rt_doc_no_memory(finish->reader);
    roster->peer_count = 0;
    for (size_t l = 0; l < roster->lab_count; l++)
        add_peer(roster, &roster->labs[l]->curve, &roster->labs[l]->sign);
    for (size_t o = 0; o < roster->org_count; o++)
        for (size_t p = 0; p < roster->orgs[o].person_count; p++)
            if (roster->orgs[o].people[p].has_curve)
                add_peer(roster, &roster->orgs[o].people[p].curve, &roster->orgs[o].people[p].sign);
    if (roster->peer_count)
        qsort(roster->peers, roster->peer_count, sizeof *roster->peers, compare_peers);
    for (size_t i = 0; i < roster->peer_count; i++) {
        const char *name = roster->signers[roster->peers[i].signer].name;
        if (i && compare_peers(&roster->peers[i - 1], &roster->peers[i]) == 0)
            return rt_doc_fail(finish->reader, RT_CONFLICT, 0,
                               "the transport key of `%s` is also `%s`'s; each needs its own", name,
                               roster->signers[roster->peers[i - 1].signer].name);
        if (rt_curve_public_equal(&roster->peers[i].curve, &roster->curve))
            return rt_doc_fail(finish->reader, RT_CONFLICT, 0,
                               "the transport key of `%s` is the coordinator's", name);
    }
    return RT_OK;
}

// ---- the rest

static enum rt_status check_thresholds(const struct finish *finish)
{
    struct rt_roster *roster = finish->roster;
    for (size_t t = 0; t < roster->threshold_count; t++) {
        struct rt_threshold *threshold = &roster->thresholds[t];
        enum rt_status status =
            role_of(finish, threshold->line, threshold->role_name, &threshold->role);
        if (status)
            return status;
        size_t holders = 0;
        for (size_t s = 0; s < roster->signer_count; s++)
            holders += roster->signers[s].roles & threshold->role && !roster->signers[s].revoked;
        if (holders < threshold->sign)
            rt_doc_note(finish->reader, threshold->line,
                        "threshold `%s` asks for %" PRIu32 " keys of role `%s`; the roster has %zu",
                        threshold->id, threshold->sign, threshold->role_name, holders);
    }
    return RT_OK;
}

static enum rt_status check_head(const struct finish *finish)
{
    struct rt_roster *roster = finish->roster;
    if (roster->from_ms >= roster->until_ms)
        return rt_doc_fail(finish->reader, RT_MALFORMED, 0, "`valid`: `until` is not after `from`");
    if (roster->has_previous != (roster->version > 1))
        return rt_doc_fail(finish->reader, RT_MALFORMED, 0,
                           roster->version > 1 ? "`previous` is missing; only version 1 has none"
                                               : "version 1 has no `previous`");
    if (strncmp(roster->address, "tcp://", 6) != 0 || !strrchr(roster->address + 6, ':'))
        return rt_doc_fail(finish->reader, RT_MALFORMED, 0,
                           "`coordinator.address` must be tcp://host:port");
    enum rt_status status =
        check_vkey(finish, 0, "coordinator.log", roster->log_text, RT_NOTE_ED25519);
    if (!status)
        status = rt_vkey_parse(rt_bytes_str(roster->log_text), &roster->log);
    return status;
}

static enum rt_status check_names(const struct finish *finish)
{
    const struct rt_roster *roster = finish->roster;
    for (uint32_t o = 0; o < roster->org_count; o++) {
        const struct rt_org *org = &roster->orgs[o];
        for (uint32_t before = 0; before < o; before++)
            if (strcmp(roster->orgs[before].id, org->id) == 0)
                return rt_doc_fail(finish->reader, RT_CONFLICT, org->line,
                                   "organisation `%s` is in the roster twice", org->id);
        for (size_t p = 0; p < org->person_count; p++) {
            uint32_t first;
            const char *id = org->people[p].id;
            if (person_row(roster, id, &first) != &org->people[p])
                return rt_doc_fail(finish->reader, RT_CONFLICT, org->people[p].line,
                                   "person `%s` is in the roster twice", id);
        }
    }
    return RT_OK;
}

static enum rt_status derive_signers(const struct finish *finish)
{
    struct rt_roster *roster = finish->roster;
    size_t count = 1 + roster->lab_count + roster->revoked_count;
    for (size_t o = 0; o < roster->org_count; o++)
        count += roster->orgs[o].person_count;
    if (count > RT_ROSTER_SIGNERS_MOST)
        return rt_doc_fail(finish->reader, RT_TOO_LARGE, 0, "more than %d keys",
                           RT_ROSTER_SIGNERS_MOST);
    roster->signers = rt_arena_array(finish->reader->arena, count, sizeof *roster->signers);
    if (!roster->signers)
        return rt_doc_no_memory(finish->reader);
    roster->signer_count = 0;
    add_signer(roster, &roster->log.key, "coordinator", RT_ROLE_COORDINATOR, RT_NONE);
    enum rt_status status = RT_OK;
    for (uint32_t l = 0; l < roster->lab_count && !status; l++)
        status = add_lab(finish, l);
    for (uint32_t o = 0; o < roster->org_count && !status; o++)
        for (size_t p = 0; p < roster->orgs[o].person_count && !status; p++)
            status = add_person(finish, &roster->orgs[o].people[p], o);
    for (size_t r = 0; r < roster->revoked_count && !status; r++)
        status = add_revocation(finish, &roster->revoked[r]);
    qsort(roster->signers, roster->signer_count, sizeof *roster->signers, compare_signers);
    return status;
}

static enum rt_status finish_roster(struct rt_doc_reader *reader, struct rt_roster *roster)
{
    const struct finish finish = {reader, roster};
    enum rt_status status = check_head(&finish);
    if (!status)
        status = check_names(&finish);
    if (!status)
        status = derive_labs(&finish);
    if (!status)
        status = derive_signers(&finish);
    if (!status)
        status = derive_peers(&finish);
    if (!status)
        status = check_thresholds(&finish);
    return status;
}

static enum rt_status take_digest(const struct rt_roster *roster, struct rt_digest *ret_digest)
{
    struct rt_buf object;
    rt_buf_init(&object, (size_t)16 << 20);
    enum rt_status status = rt_roster_encode(roster, &object);
    if (!status)
        rt_sha256(rt_buf_bytes(&object), ret_digest);
    rt_buf_release(&object);
    return status;
}

// ---- the public readers and writers

enum rt_status rt_roster_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                              struct rt_roster **ret_roster, struct rt_notes *notes,
                              struct rt_error *err)
{
    struct rt_doc_reader reader = {name, arena, notes, err};
    struct rt_roster *roster = rt_arena_alloc(arena, sizeof *roster);
    if (!roster)
        return rt_doc_no_memory(&reader);
    enum rt_status status = rt_doc_read(&reader, &rt_roster_table, text, roster);
    if (!status)
        status = finish_roster(&reader, roster);
    if (status)
        return status;
    status = take_digest(roster, &roster->digest);
    if (status)
        return rt_doc_fail(&reader, status, 0, "%s", rt_status_text(status));
    *ret_roster = roster;
    return RT_OK;
}

enum rt_status rt_roster_write(const struct rt_roster *roster, struct rt_buf *out)
{
    rt_buf_add_str(out, "ringtrial: 1\n");
    rt_doc_write(&rt_roster_table, roster, out);
    return rt_buf_ok(out);
}

enum rt_status rt_roster_encode(const struct rt_roster *roster, struct rt_buf *out)
{
    return rt_doc_encode(&rt_roster_table, roster, out);
}

enum rt_status rt_roster_decode(struct rt_bytes object, struct rt_arena *arena,
                                struct rt_roster **ret_roster)
{
    struct rt_doc_reader reader = {.arena = arena};
    struct rt_roster *roster = rt_arena_alloc(arena, sizeof *roster);
    if (!roster)
        return RT_NO_MEMORY;
    enum rt_status status = rt_doc_decode(&rt_roster_table, object, arena, roster);
    if (!status)
        status = finish_roster(&reader, roster);
    if (!status)
        status = rt_doc_same(&rt_roster_table, roster, object);
    if (status)
        return status;
    rt_sha256(object, &roster->digest);
    *ret_roster = roster;
    return RT_OK;
}

enum rt_status rt_roster_finish(struct rt_roster *roster, struct rt_arena *arena,
                                struct rt_error *err)
{
    struct rt_doc_reader reader = {.name = "roster", .arena = arena, .err = err};
    enum rt_status status = finish_roster(&reader, roster);
    return status ? status : take_digest(roster, &roster->digest);
}

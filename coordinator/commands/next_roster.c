// SPDX-License-Identifier: Apache-2.0
#include "coordinator/commands/next_roster.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/text.h"

static enum rt_status no_memory(struct rt_error *err)
{
    return rt_error_set(err, RT_NO_MEMORY, "making the next roster");
}

static enum rt_status org_kind(const char *text, enum rt_org_kind *ret_kind, struct rt_error *err)
{
    static const char *const words[] = {"university",    "company",     "government",
                                        "civil-society", "independent", NULL};
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], text) == 0) {
            *ret_kind = (enum rt_org_kind)i;
            return RT_OK;
        }
    const char *closest = rt_did_you_mean(text, words);
    return rt_error_set(err, RT_USAGE, "'%s' is no kind of organisation%s%s", text,
                        closest ? "; did you mean " : "", closest ? closest : "");
}

static enum rt_status find_org(struct rt_roster *roster, const char *id, const char *kind,
                               struct rt_arena *arena, struct rt_org **ret_org,
                               struct rt_error *err)
{
    for (size_t i = 0; i < roster->org_count; i++)
        if (strcmp(roster->orgs[i].id, id) == 0) {
            *ret_org = &roster->orgs[i];
            return RT_OK;
        }
    struct rt_org *orgs = rt_arena_array(arena, roster->org_count + 1, sizeof *orgs);
    char *copy = rt_arena_strdup(arena, id);
    if (!orgs || !copy)
        return no_memory(err);
    if (roster->org_count)
        memcpy(orgs, roster->orgs, roster->org_count * sizeof *orgs);
    struct rt_org *org = &orgs[roster->org_count];
    org->id = copy;
    org->name = "";
    enum rt_status status = org_kind(kind, &org->kind, err);
    if (status)
        return status;
    roster->orgs = orgs;
    roster->org_count++;
    *ret_org = org;
    return RT_OK;
}

static const char **copy_list(struct rt_arena *arena, const char **list, size_t count)
{
    const char **copy = rt_arena_array(arena, count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        copy[i] = rt_arena_strdup(arena, list[i]);
    return copy;
}

// A lab whose key is revoked (or will be, at a time to come: a rotation that overlaps) gets the new
// one; the old one stays listed, so that what it signed before can still be verified.
static enum rt_status admit_again(struct rt_roster *roster, uint32_t row,
                                  const struct rt_enrolment *enrolment, struct rt_arena *arena,
                                  struct rt_error *err)
{
    // The rows belong to this roster, which is being made.
    struct rt_roster_lab *lab = (struct rt_roster_lab *)(uintptr_t)roster->labs[row];
    struct rt_revocation *revoked = NULL;
    for (size_t i = 0; i < roster->revoked_count; i++)
        if (rt_public_key_equal(&roster->revoked[i].key, &lab->sign))
            revoked = &roster->revoked[i];
    if (!revoked)
        return rt_error_set(
            err, RT_EXISTS,
            "lab %s is in the roster already; revoke its key first to give it another "
            "(`roster revoke %s --at DATE` lets the two overlap)",
            lab->id, lab->id);
    if (rt_roster_signer_of(roster, &enrolment->sign))
        return rt_error_set(err, RT_CONFLICT, "the enrolment of %s brings a key that the roster "
                            "has already", lab->id);
    revoked->has_successor = true;
    revoked->successor = enrolment->sign;
    lab->sign = enrolment->sign;
    lab->curve = enrolment->curve;
    lab->cosign = rt_arena_strdup(arena, enrolment->cosign ? enrolment->cosign : "");
    lab->classes = copy_list(arena, enrolment->classes, enrolment->class_count);
    lab->class_count = enrolment->class_count;
    lab->serves = copy_list(arena, enrolment->serves, enrolment->serve_count);
    lab->serve_count = enrolment->serve_count;
    return lab->cosign && lab->classes && lab->serves ? RT_OK : no_memory(err);
}

enum rt_status rt_next_roster_admit(struct rt_roster *roster, const struct rt_enrolment *enrolment,
                                    const char *organisation, const char *kind,
                                    struct rt_arena *arena, struct rt_error *err)
{
    if (strcmp(enrolment->consortium, roster->id) != 0)
        return rt_error_set(err, RT_CONFLICT, "the enrolment is for consortium %s, this is %s",
                            enrolment->consortium, roster->id);
    uint32_t present = rt_roster_lab_index(roster, enrolment->lab);
    if (present != RT_NONE)
        return admit_again(roster, present, enrolment, arena, err);
    struct rt_org *org = NULL;
    enum rt_status status =
        find_org(roster, organisation ? organisation : enrolment->lab, kind, arena, &org, err);
    if (status)
        return status;
    struct rt_roster_lab *labs = rt_arena_array(arena, org->lab_count + 1, sizeof *labs);
    if (!labs)
        return no_memory(err);
    if (org->lab_count)
        memcpy(labs, org->labs, org->lab_count * sizeof *labs);
    labs[org->lab_count] = (struct rt_roster_lab){
        .id = rt_arena_strdup(arena, enrolment->lab),
        .sign = enrolment->sign,
        .curve = enrolment->curve,
        .cosign = rt_arena_strdup(arena, enrolment->cosign ? enrolment->cosign : ""),
        .classes = copy_list(arena, enrolment->classes, enrolment->class_count),
        .class_count = enrolment->class_count,
        .serves = copy_list(arena, enrolment->serves, enrolment->serve_count),
        .serve_count = enrolment->serve_count,
    };
    if (!labs[org->lab_count].id || !labs[org->lab_count].classes || !labs[org->lab_count].serves)
        return no_memory(err);
    org->labs = labs;
    org->lab_count++;
    return RT_OK;
}

enum rt_status rt_next_roster_appoint(struct rt_roster *roster,
                                      const struct rt_roster_person *person,
                                      const char *organisation, const char *kind,
                                      struct rt_arena *arena, struct rt_error *err)
{
    struct rt_org *org = NULL;
    for (size_t i = 0; i < roster->signer_count; i++)
        if (!strcmp(roster->signers[i].name, person->id) ||
            rt_public_key_equal(&roster->signers[i].key, &person->sign))
            return rt_error_set(err, RT_EXISTS, "the roster has %s or this key already",
                                person->id);
    enum rt_status status = find_org(roster, organisation, kind, arena, &org, err);
    if (status)
        return status;
    struct rt_roster_person *people =
        rt_arena_array(arena, org->person_count + 1, sizeof *people);
    if (!people)
        return no_memory(err);
    if (org->person_count)
        memcpy(people, org->people, org->person_count * sizeof *people);
    people[org->person_count] = *person;
    people[org->person_count].id = rt_arena_strdup(arena, person->id);
    people[org->person_count].role_names =
        copy_list(arena, person->role_names, person->role_count);
    people[org->person_count].witness = "";
    if (!people[org->person_count].id || !people[org->person_count].role_names)
        return no_memory(err);
    org->people = people;
    org->person_count++;
    return RT_OK;
}

enum rt_status rt_next_roster_revoke(struct rt_roster *roster, const char *id, const char *reason,
                                     int64_t at_ms, uint64_t at_index, struct rt_arena *arena,
                                     struct rt_error *err)
{
    const struct rt_signer *signer = NULL;
    for (size_t i = 0; i < roster->signer_count && !signer; i++)
        if (strcmp(roster->signers[i].name, id) == 0 &&
            !(roster->signers[i].roles & RT_ROLE_COORDINATOR))
            signer = &roster->signers[i];
    if (!signer)
        return rt_error_set(err, RT_NOT_FOUND,
                            "the roster has no lab or person %s; `roster show` lists them", id);
    if (signer->revoked)
        return rt_error_set(err, RT_EXISTS, "the key of %s is revoked already", id);
    struct rt_revocation *list = rt_arena_array(arena, roster->revoked_count + 1, sizeof *list);
    char *why = rt_arena_strdup(arena, reason), *whose = rt_arena_strdup(arena, id);
    if (!list || !why || !whose)
        return no_memory(err);
    if (roster->revoked_count)
        memcpy(list, roster->revoked, roster->revoked_count * sizeof *list);
    bool is_lab = signer->lab != RT_NONE;
    list[roster->revoked_count] = (struct rt_revocation){.key = signer->key,
                                                         .lab = is_lab ? whose : "",
                                                         .person = is_lab ? "" : whose,
                                                         .at_ms = at_ms,
                                                         .at_index = at_index,
                                                         .reason = why};
    roster->revoked = list;
    roster->revoked_count++;
    return RT_OK;
}

enum rt_status rt_next_roster_finish(struct rt_roster *roster, struct rt_arena *arena,
                                     struct rt_error *err)
{
    roster->previous = roster->digest;
    roster->has_previous = true;
    roster->version++;
    return rt_roster_finish(roster, arena, err);
}

enum rt_status rt_next_roster_submit(struct rt_client *client, const struct rt_roster *roster,
                                     const struct rt_secret_key *key, uint64_t *ret_index,
                                     struct rt_error *err)
{
    static struct rt_statement statement;
    statement.kind = RT_STATEMENT_ROSTER;
    statement.roster = roster->digest;
    statement.consortium = rt_bytes_str(roster->id);
    statement.version = roster->version;
    statement.has_previous = roster->has_previous;
    statement.previous = roster->previous;
    struct rt_buf text, object;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    rt_buf_init(&object, RT_PAYLOAD_MOST);
    enum rt_status status = rt_statement_make(&statement, key, &text);
    if (!status)
        status = rt_roster_encode(roster, &object);
    if (status)
        rt_error_set(err, status, "signing the roster: %s", rt_status_text(status));
    struct rt_bytes objects[] = {rt_buf_bytes(&object)};
    if (!status)
        status = rt_client_submit(client, rt_buf_bytes(&text), objects, 1, ret_index, err);
    rt_buf_release(&text);
    rt_buf_release(&object);
    return status;
}

enum rt_status rt_next_roster_sign_file(const char *path, const char *key_path,
                                        struct rt_error *err)
{
    struct rt_buf text, out;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    rt_buf_init(&out, RT_STATEMENT_MOST);
    struct rt_secret_key *key = NULL;
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_state_key_at(key_path, &key, err);
    if (!status && (status = rt_statement_sign(rt_buf_bytes(&text), key, &out)))
        rt_error_set(err, status, "%s: %s", path,
                     status == RT_DUPLICATE ? "this key has signed it already"
                                            : rt_status_text(status));
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&out), 0644, err);
    rt_secret_key_free(key);
    rt_buf_release(&text);
    rt_buf_release(&out);
    if (!status)
        printf("%s: signed\n", path);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
// What the core is made of; for its own files and nobody else. All of it belongs to one rt_core and
// is freed with it; every table has a bound from core.h or rt_core_limits. One thread.
#ifndef RT_CORE_INTERNAL_H
#define RT_CORE_INTERNAL_H

#include "coordinator/core/core.h"
#include "proto/campaign.h"
#include "proto/counting.h"
#include "proto/trial.h"

#define NONE UINT32_MAX

// ---- which positions are final and which may be issued (bitmap.c)

// A chunk is made when a position in it is first touched, and its words are freed again when every
// position in it is final, so a large campaign costs memory only where it is being worked on.
struct core_chunk {
    uint64_t *words; // final bits, then busy bits; NULL: all free, or all final when `full`
    uint16_t finals;
    uint16_t busy; // final, leased or out of attempts
    bool full;
};
#define CHUNK_WORDS (RT_CORE_CHUNK_POSITIONS / 64)

struct core_bitmap {
    struct core_chunk *chunks;
    uint64_t chunk_count;
    uint64_t total; // positions
    uint64_t finals;
};

enum rt_status core_bitmap_init(struct core_bitmap *map, uint64_t total) RT_WARN_UNUSED;
void core_bitmap_release(struct core_bitmap *map);
bool core_bitmap_final(const struct core_bitmap *map, uint64_t position);
// The same for "must not be issued".
bool core_bitmap_busy(const struct core_bitmap *map, uint64_t position);
enum rt_status core_bitmap_set_final(struct core_bitmap *map, uint64_t position) RT_WARN_UNUSED;
enum rt_status core_bitmap_set_busy(struct core_bitmap *map, uint64_t position) RT_WARN_UNUSED;
// Nothing for a final position.
void core_bitmap_clear_busy(struct core_bitmap *map, uint64_t position);
// First position at or after `from` that may be issued; total when there is none.
uint64_t core_bitmap_next_free(const struct core_bitmap *map, uint64_t from);
// A stored chunk of final bits; RT_CORRUPT when it has bits beyond total or is loaded twice.
enum rt_status core_bitmap_load(struct core_bitmap *map, uint64_t chunk,
                                const uint8_t bits[RT_CORE_CHUNK_BYTES]) RT_WARN_UNUSED;

// ---- tables (table.c)

// Digest -> u32, open addressing with deletion by shifting back; keys are SHA-256 values.
struct core_digest_map {
    struct core_digest_slot {
        struct rt_digest key;
        uint32_t value; // NONE: empty
    } * slots;
    uint32_t size; // power of two, 0 at first
    uint32_t count;
};
void core_digest_map_release(struct core_digest_map *map);
uint32_t core_digest_map_get(const struct core_digest_map *map, const struct rt_digest *key);
// Replaces the value of a key that is there.
enum rt_status core_digest_map_put(struct core_digest_map *map, const struct rt_digest *key,
                                   uint32_t value) RT_WARN_UNUSED;
void core_digest_map_remove(struct core_digest_map *map, const struct rt_digest *key);

// Position -> tentative, the same way.
struct core_tentative_slot {
    uint64_t position; // UINT64_MAX: empty
    struct rt_core_tentative value;
};
struct core_tentative_map {
    struct core_tentative_slot *slots;
    uint32_t size;
    uint32_t count;
};
void core_tentative_map_release(struct core_tentative_map *map);
struct rt_core_tentative *core_tentative_map_get(const struct core_tentative_map *map,
                                                 uint64_t position);
enum rt_status core_tentative_map_put(struct core_tentative_map *map, uint64_t position,
                                      const struct rt_core_tentative *value) RT_WARN_UNUSED;
void core_tentative_map_remove(struct core_tentative_map *map, uint64_t position);

// Runs of positions that were freed, oldest first. A full ring remembers the lowest position it
// could not hold, and the lab's cursor goes back to it when everything else is issued.
#define RING_RUNS 1024
struct core_ring {
    struct rt_unit_run *runs; // RING_RUNS of them, made at the first push
    uint32_t first;
    uint32_t count;
};
void core_ring_release(struct core_ring *ring);
// False when it is full (or out of memory).
bool core_ring_push(struct core_ring *ring, uint64_t first, uint64_t count);

// ---- leases (lease.c)

struct core_lease {
    struct rt_digest digest;
    bool bound; // digest is known and in the map
    uint64_t serial;
    uint32_t campaign, lab;
    uint32_t instance;
    uint32_t prev, next; // among the instance's leases; next also chains free slots
    uint32_t heap;       // place in the heap
    uint64_t mark;       // step of the HELLO that named it
    int64_t reissue_at_ms;
    uint32_t trials;
    uint32_t done; // by PULSE
    uint32_t run_count;
    struct rt_unit_run runs[RT_CORE_RUNS_MOST];
};

// ---- who is there

struct core_instance {
    bool used;
    struct rt_instance id;
    uint32_t name; // index of its lab in names
    bool connected;
    bool awaited; // loaded from the store and has not said HELLO yet
    uint64_t peer;
    int64_t seen_ms;
    uint32_t leases; // head of the list
    uint32_t lease_count;
    uint32_t prev, next; // among the lab's instances
};

struct core_name {
    char id[RT_ID_BYTES + 1];
    uint32_t instances; // head of the list
    uint32_t instance_count;
    uint32_t awaited;
    uint32_t fingerprints;                 // new ones since the core was loaded
    uint32_t labs[RT_CORE_CAMPAIGNS_MOST]; // its index in each campaign, or NONE
};

// ---- one lab in one campaign

struct core_want {
    uint32_t instance;
    uint32_t units;
    uint32_t trials;
};

// What a fingerprint stands for, and what served a lab's subjects so far (hold.c).
struct core_part {
    char subject[RT_ID_BYTES + 1];
    struct rt_digest identity;
};
struct core_print {
    struct core_part *parts;
    size_t count;
};
struct core_served {
    uint32_t subject; // index in the campaign
    struct rt_digest identity;
};

struct core_lab {
    struct rt_core_lab_row row;
    uint32_t name;
    struct rt_lab_plan plan; // with the draw once there is one
    struct rt_lab_order order;
    struct core_bitmap bitmap;
    struct core_tentative_map tentatives;
    uint64_t exhausted;
    uint64_t cursor; // positions below it were issued once, or are in a ring, or below rescan
    uint64_t rescan; // UINT64_MAX: nothing was left out of a ring
    struct core_ring freed;
    struct core_ring retry;
    uint32_t lease_count;
    uint64_t outstanding; // trials in leases
    struct core_want *wants;
    uint32_t want_count;
    uint32_t want_room;
    uint32_t want_next; // whose turn it is
    struct core_served *served;
    uint32_t served_count, served_room;
};

struct core_campaign {
    struct rt_core_campaign_row row;
    const struct rt_campaign *campaign;
    struct core_lab *labs;
    struct rt_core_rater raters[RT_RATERS_MOST]; // from 1 on
    uint16_t rater_count;                        // numbers given
    uint32_t open_labs; // not closed, withdrawn or given up
};

// A result's trials laid out for the apply pass, after every check has passed.
struct core_arrival {
    uint64_t position;
    uint32_t prompt, configuration;
    const struct rt_trial_result *trial;
};

struct rt_core {
    struct rt_core_limits limits;
    uint64_t epoch;
    uint64_t serial;
    uint64_t step;
    int64_t now_ms;
    int64_t gather_until_ms;
    bool gathering;
    int64_t silent_check_ms; // when to look for silent instances again
    uint64_t log_size;       // leaves, those of this step included
    uint64_t roster_version;
    struct rt_digest roster;
    struct core_campaign campaigns[RT_CORE_CAMPAIGNS_MOST];
    uint32_t campaign_count;
    struct core_name *names;
    uint32_t *name_order; // indices of names, sorted by id
    uint32_t name_count;
    struct core_instance *instances;
    uint32_t instance_count; // slots ever used
    struct core_lease *leases;
    uint32_t lease_room;  // slots allocated
    uint32_t lease_slots; // slots ever used
    uint32_t lease_free;  // chain
    uint32_t lease_count;
    uint32_t *heap;
    struct core_digest_map lease_map;
    uint32_t *unbound; // leases made in this step, by serial - unbound_serial
    uint32_t unbound_room;
    uint32_t unbound_count;
    uint64_t unbound_serial;
    struct core_digest_map fingerprints;
    struct core_print *prints; // by number
    uint32_t print_room;
    struct core_arrival *arrivals;
    size_t arrival_count, arrival_room;
    bool failed;                // a step ran out of memory: the core is of no more use
    struct rt_core_effect sink; // written instead of an effect that could not be made
};

// ---- effects (effect.c)

// An effect at the end of the list; members of its kind are the caller's to fill. Out of memory or
// at the bound (callers look at core_effects_room before something long) the core fails, and what
// comes back is a place to write that nobody reads.
struct rt_core_effect *core_effect(struct rt_core *core, struct rt_core_effects *effects,
                                   enum rt_core_effect_kind kind, uint32_t campaign, uint32_t lab);
size_t core_effects_room(const struct rt_core_effects *effects);
void core_effect_campaign(struct rt_core *core, struct rt_core_effects *effects, uint32_t campaign);
void core_effect_lab(struct rt_core *core, struct rt_core_effects *effects, uint32_t campaign,
                     uint32_t lab);
// The effect that holds this step's counters of (campaign, lab).
struct rt_core_counters *core_effect_counters(struct rt_core *core, struct rt_core_effects *effects,
                                              uint32_t campaign, uint32_t lab);
void core_effect_notice(struct rt_core *core, struct rt_core_effects *effects, uint32_t campaign,
                        uint32_t lab, enum rt_notice_kind kind);
void core_effect_offer(struct rt_core *core, struct rt_core_effects *effects, uint32_t campaign,
                       uint32_t lab, uint64_t peer);

// ---- leases (lease.c)

struct core_lease *core_lease_new(struct rt_core *core, uint32_t campaign, uint32_t lab,
                                  uint32_t instance, const struct rt_unit_run *runs,
                                  uint32_t run_count, int64_t reissue_at_ms);
void core_lease_bind(struct rt_core *core, uint32_t lease, const struct rt_digest *digest);
// End a lease. Its trials that are neither final nor out of attempts may be issued again: at the
// next opportunity, or, with `later`, when all that was never tried has been. Returns how many.
uint64_t core_lease_end(struct rt_core *core, uint32_t lease, bool later);

// ---- peers (peer.c)

uint32_t core_name_find(const struct rt_core *core, struct rt_bytes id);
// Finds or makes; NONE when the table is full or the id is not an id.
uint32_t core_name_make(struct rt_core *core, struct rt_bytes id);
uint32_t core_instance_find(const struct rt_core *core, uint32_t name,
                            const struct rt_instance *id);
uint32_t core_instance_make(struct rt_core *core, uint32_t name, const struct rt_instance *id);
// Forget an instance that is disconnected and holds nothing.
void core_instance_settle(struct rt_core *core, struct rt_core_effects *effects, uint32_t instance);
// Those that were not heard of for long count as disconnected.
void core_instances_forget_silent(struct rt_core *core, struct rt_core_effects *effects);
// The instance an event comes from, once it has said HELLO on this connection; or NONE.
uint32_t core_speaker(struct rt_core *core, const struct rt_core_event *event);
void core_instances_stop_waiting(struct rt_core *core, struct rt_core_effects *effects);
// End all leases of (campaign, lab), for whoever holds them, and forget what it wants.
void core_lab_drop(struct rt_core *core, uint32_t campaign, uint32_t lab,
                   struct rt_core_effects *effects);

enum rt_status core_step_hello(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_want(struct rt_core *core, const struct rt_core_event *event,
                              struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_return(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_pulse(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_disconnect(struct rt_core *core, const struct rt_core_event *event,
                                    struct rt_core_effects *effects) RT_WARN_UNUSED;

// ---- issuing (issue.c)

// Why (campaign, lab) gets nothing now, or NULL.
const char *core_held(const struct rt_core *core, uint32_t campaign, uint32_t lab);
// Serve the lab's wants as far as they and the effects' room go.
void core_serve(struct rt_core *core, uint32_t campaign, uint32_t lab,
                struct rt_core_effects *effects);
void core_serve_all(struct rt_core *core, struct rt_core_effects *effects);

// ---- instruments (hold.c)

void core_print_release(struct core_print *print);
// Keep what a fingerprint stands for; once.
enum rt_status core_print_set(struct rt_core *core, uint32_t index,
                              const struct rt_fingerprint_part *parts,
                              size_t count) RT_WARN_UNUSED;
// The lab is served by it. When a subject was served by another instrument before, the lab is held;
// with effects NULL (loading) it is only remembered.
void core_served(struct rt_core *core, uint32_t campaign, uint32_t lab, uint32_t fingerprint,
                 struct rt_core_effects *effects);
enum rt_status core_step_noted(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects);
enum rt_status core_step_lift(struct rt_core *core, const struct rt_core_event *event,
                              struct rt_core_effects *effects) RT_WARN_UNUSED;

// ---- results and statements (result.c, statement.c)

enum rt_status core_step_result(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_rating(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_campaign(struct rt_core *core, const struct rt_core_event *event,
                                  struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_accept(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_state(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_end(struct rt_core *core, const struct rt_core_event *event,
                             struct rt_core_effects *effects) RT_WARN_UNUSED;
enum rt_status core_step_roster(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects) RT_WARN_UNUSED;
// Give up on the labs whose close is overdue.
void core_close_overdue(struct rt_core *core, uint32_t campaign, struct rt_core_effects *effects);

// The event's statement becomes a leaf; returns its index.
uint64_t core_log(struct rt_core *core, struct rt_core_effects *effects);
// The campaign and lab of an event whose lab must be one of the campaign's: RT_NOT_FOUND,
// RT_NOT_PERMITTED.
enum rt_status core_find(const struct rt_core *core, const struct rt_core_event *event,
                         uint32_t *ret_campaign, uint32_t *ret_lab) RT_WARN_UNUSED;
// Make the tables of a campaign and its labs (rows all zero but for their indices).
enum rt_status core_campaign_add(struct rt_core *core,
                                 const struct rt_campaign *campaign) RT_WARN_UNUSED;
// The draw is known: the labs' run orders follow from it.
void core_campaign_draw(struct rt_core *core, uint32_t campaign);

#endif

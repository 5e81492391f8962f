/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buckets: which piece of each phrase is looked for, and in which bucket.
 *
 * A bucket lets pass whatever mixes its pieces, one byte from this and the next
 * from that. How often that is, is counted in a sample of what passes by;
 * phrase after phrase goes where it costs least.
 */
#include "gate/buckets.h"

#include <stdlib.h>

/* What audit records are made of, in their shapes, and lines of syslog. */
static const char sample[] =
    "{\"time\":\"2026-06-01T08:15:42.7391560Z\",\"resourceId\":\"/tenants/3a2f6c1e-8d4b-4c55-9f0a/"
    "providers/Microsoft.aadiam\",\"operationName\":\"Update user\",\"operationVersion\":\"1.0\","
    "\"category\":\"AuditLogs\",\"tenantId\":\"b0d3ca48-cb46-6fcf-dd89-935d6e7ae9fb\","
    "\"resultSignature\":\"None\",\"durationMs\":0,\"callerIpAddress\":\"198.51.100.7\","
    "\"correlationId\":\"78055d89-9437-38e1-7a58-30a20e7ae926\",\"Level\":4,\"properties\":{\"id\":"
    "\"Directory_fe41ac09_0725018e-b03aacc2-9912\",\"result\":\"success\",\"resultReason\":\"\","
    "\"activityDisplayName\":\"Add member to group\",\"activityDateTime\":\"2026-06-01T08:15:42"
    "+00:00\",\"loggedByService\":\"Core Directory\",\"operationType\":\"Assign\",\"userAgent\":"
    "null,\"initiatedBy\":{\"app\":null,\"user\":{\"id\":\"cbdc46d7-48f9-97db-87d6-49a6fde78165\","
    "\"displayName\":null,\"userPrincipalName\":\"admin@contoso.onmicrosoft.com\",\"ipAddress\":"
    "\"10.0.0.85\",\"roles\":[]}},\"targetResources\":[{\"type\":\"User\",\"userPrincipalName\":"
    "\"maria.stone@example.com\",\"groupType\":null,\"modifiedProperties\":[{\"displayName\":"
    "\"AccountEnabled\",\"oldValue\":\"[\\\"true\\\"]\",\"newValue\":\"[\\\"false\\\"]\"},"
    "\"StrongAuthenticationMethod\",\"LastDirSyncTime\",\"Included Updated Properties\","
    "\"TargetId.UserType\",\"MethodExecutionResult.\"],\"administrativeUnits\":[]}],"
    "\"additionalDetails\":[{\"key\":\"User-Agent\",\"value\":\"Mozilla/5.0 (Windows NT 10.0; "
    "Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\"}]}}"
    "{\"TimeGenerated\":\"\",\"Resource\":\"Microsoft.aadiam\",\"OperationName\":\"Update device\","
    "\"Identity\":\"Azure AD Cloud Sync\",\"ResultDescription\":\"\",\"SourceSystem\":\"Azure AD\","
    "\"AADOperationType\":\"Update\",\"ServicePrincipal\":\"Consent to application\",\"Delete "
    "group\",\"Remove member from group\",\"Change user license\",\"Add service principal\","
    "\"Update conditional access policy\",\"Reset user password\",\"User registered security "
    "info\",\"UserManagement\",\"GroupManagement\",\"ApplicationManagement\",\"Policy\","
    "\"DirectoryManagement\",\"RoleManagement\",\"Device Registration Service\",\"Authentication "
    "Methods\",\"Account "
    "Provisioning\",\"EntitlementManagement\",\"AccessReviews\",\"Self-service Group Management\""
    "<30>Jun  1 12:00:00 host sshd[1034]: Accepted publickey for root from 192.0.2.44 port 51122 "
    "systemd[1]: Started Session 12 of user backup. kernel: usb 1-1: new high-speed device number "
    "postfix/smtpd[881]: connect from unknown[203.0.113.9] CRON[4712]: pam_unix(cron:session) ";

enum {
    PLACES = sizeof(sample) - PIECE_LENGTH, /* in the sample, that have three characters */
    WORDS = (PLACES + 255) / 256 * 4,
    TESTS = PIECE_LENGTH + 1, /* of the low half at each of a piece's places, and of a high one */
};

/* The halves that pass each test, a bit for each. */
typedef struct halves {
    unsigned of[TESTS];
} halves;

/* Where in the sample a byte passes each test, a bit for each place. */
typedef struct passing {
    uint64_t of[TESTS][WORDS];
} passing;

/* The same for each half. */
typedef struct sample_places {
    uint64_t of[TESTS][16][WORDS];
} sample_places;

/* What is looked for of a phrase: with the bit 0x20, which makes letters of any case alike. */
typedef struct piece {
    uint64_t bytes, mask; /* the characters, and what else stands only for itself behind them */
    size_t length;        /* in these two */
    halves halves;
    size_t bucket;
    phrase_anchor anchor;
} piece;

struct buckets {
    const phrase_set *phrases;
    bucket_masks masks;
    double in_vain;
    size_t first[BUCKET_COUNT + 1]; /* of each bucket's pieces; the last one: all of them */
    piece pieces[];
};

/* --- what a bucket lets pass --- */

/* Of the byte at that place in a piece. */
static unsigned half_for(size_t test, char c)
{
    unsigned char byte = (unsigned char)c;

    return test < PIECE_LENGTH ? byte & 15 : byte >> 4;
}

static size_t place_of(size_t test)
{
    return test < PIECE_LENGTH ? test : HIGH_PLACE;
}

static sample_places *sample_places_new(void)
{
    sample_places *self = calloc(1, sizeof(*self));

    for (size_t at = 0; self != NULL && at < PLACES; at++)
        for (size_t i = 0; i < TESTS; i++)
            self->of[i][half_for(i, sample[at + place_of(i)])][at / 64] |= (uint64_t)1 << at % 64;
    return self;
}

static void find_passing(const sample_places *places, const halves *h, passing *found)
{
    memset(found, 0, sizeof(*found));
    for (size_t i = 0; i < TESTS; i++)
        for (unsigned wanted = h->of[i]; wanted != 0; wanted &= wanted - 1)
            for (size_t word = 0; word < WORDS; word++)
                found->of[i][word] |= places->of[i][__builtin_ctz(wanted)][word];
}

/* How many places of the sample pass all tests, for one or the other of two? */
static size_t count_passing(const passing *a, const passing *b)
{
    uint64_t all[WORDS];
    size_t count = 0;

    for (size_t word = 0; word < WORDS; word++) {
        all[word] = ~(uint64_t)0;
        for (size_t i = 0; i < TESTS; i++)
            all[word] &= a->of[i][word] | b->of[i][word];
    }
    for (size_t word = 0; word < WORDS; word++)
        for (; all[word] != 0; all[word] &= all[word] - 1)
            count++;
    return count;
}

/* Of all that bytes could be, the share that passes: what is not in the sample is not all alike. */
static double share(const halves *a, const halves *b)
{
    double all = 1;

    for (size_t i = 0; i < TESTS; i++)
        all *= __builtin_popcount(a->of[i] | b->of[i]) / 16.0;
    return all;
}

/* --- pieces --- */

static unsigned char with_bit(char c)
{
    return (unsigned char)(c | 0x20);
}

static void allow(halves *h, size_t place, char c)
{
    for (size_t i = 0; i < TESTS; i++)
        if (place_of(i) == place)
            h->of[i] |= 1u << half_for(i, c);
}

/* A phrase's character, in each case, and a NUL byte for a blank. */
static void allow_forms(halves *h, size_t place, char c)
{
    allow(h, place, c);
    if (c == ' ' || (c >= 'a' && c <= 'z'))
        allow(h, place, (char)(c & 0x5F));
}

static piece piece_at(const phrase_set *all, size_t phrase, size_t index)
{
    piece p = {.anchor = phrase_set_make_anchor(all, phrase, index)};
    text t = text_from(all->list[phrase], index);
    unsigned char bytes[sizeof(p.bytes)] = {0}, mask[sizeof(p.mask)] = {0};

    while (p.length < sizeof(bytes) && p.length < t.length &&
           phrase_set_is_anchor_character(all, t.bytes[p.length])) {
        bytes[p.length] = with_bit(t.bytes[p.length]);
        mask[p.length++] = 0xFF;
    }
    memcpy(&p.bytes, bytes, sizeof(bytes));
    memcpy(&p.mask, mask, sizeof(mask));
    for (size_t i = 0; i < PIECE_LENGTH && i < p.length; i++)
        allow_forms(&p.halves, i, t.bytes[i]);
    return p;
}

/* A backslash, a u, and the first digit of 00XX, 017F or 212A. */
static halves halves_of_escapes(void)
{
    halves h = {0};

    allow(&h, 0, '\\');
    allow(&h, 1, 'u');
    allow(&h, 2, '0');
    allow(&h, 2, '2');
    return h;
}

/* --- choosing --- */

/* While they are filled: the buckets without the phrase that is looked at. */
typedef struct filling {
    const sample_places *places;
    halves halves[BUCKET_COUNT];
    passing passing[BUCKET_COUNT];
    double costs[BUCKET_COUNT];
} filling;

/* What passes in the sample counts; the share only where that is alike. */
static double cost(const filling *f, size_t bucket, const halves *more, const passing *more_passing)
{
    return 30 * share(&f->halves[bucket], more) +
           (double)count_passing(&f->passing[bucket], more_passing);
}

static void add_halves(halves *sum, const halves *more)
{
    for (size_t i = 0; i < TESTS; i++)
        sum->of[i] |= more->of[i];
}

/* With all the pieces that are said to be in it. */
static void fill_bucket(filling *f, const buckets *self, size_t bucket)
{
    static const halves none;
    halves *h = &f->halves[bucket];

    *h = none;
    for (size_t i = 0; i < self->phrases->count; i++)
        if (self->pieces[i].bucket == bucket)
            add_halves(h, &self->pieces[i].halves);
    find_passing(f->places, h, &f->passing[bucket]);
    f->costs[bucket] = cost(f, bucket, h, &f->passing[bucket]);
}

/* The bucket where the piece costs least, and what it costs more there. */
static double choose_bucket(const filling *f, piece *p)
{
    passing found;
    double least = -1;

    find_passing(f->places, &p->halves, &found);
    for (size_t b = ESCAPE_BUCKET + 1; b < BUCKET_COUNT; b++) {
        double more = cost(f, b, &p->halves, &found) - f->costs[b];

        if (least < 0 || more < least) {
            least = more;
            p->bucket = b;
        }
        if (f->halves[b].of[0] == 0) /* it is empty, and so are the others */
            break;
    }
    return least;
}

/* How many phrases have that piece of one of them? */
static unsigned count_phrases(const phrase_set *all, text phrase, size_t index)
{
    size_t length = phrase.length - index < PIECE_LENGTH ? phrase.length - index : PIECE_LENGTH;
    unsigned count = 0;

    for (size_t i = 0; i < all->count; i++)
        count +=
            memmem(all->list[i].bytes, all->list[i].length, phrase.bytes + index, length) != NULL;
    return count;
}

/*
 * The phrase's best piece in its best bucket; false when it has none. One that others have, too,
 * comes cheaper, even where it is for nothing.
 */
static bool choose_piece(const filling *f, buckets *self, size_t phrase)
{
    text t = self->phrases->list[phrase];
    double least = -1;

    for (size_t i = 0; i < t.length; i++) {
        piece p = piece_at(self->phrases, phrase, i);
        double more;

        if (p.length < PIECE_LENGTH)
            continue;
        more = (choose_bucket(f, &p) + 0.1) / count_phrases(self->phrases, t, i);
        if (least < 0 || more < least) {
            least = more;
            self->pieces[phrase] = p;
        }
    }
    return least >= 0;
}

/* All phrases, and once more: the first ones did not know of the others. */
static bool choose_all(filling *f, buckets *self)
{
    size_t count = self->phrases->count;

    for (size_t i = 0; i < count; i++)
        self->pieces[i].bucket = BUCKET_COUNT; /* none yet */
    for (size_t i = 0; i < 2 * count; i++) {
        piece *p = &self->pieces[i % count];
        size_t left = p->bucket;

        p->bucket = BUCKET_COUNT;
        if (left < BUCKET_COUNT)
            fill_bucket(f, self, left);
        if (!choose_piece(f, self, i % count))
            return false;
        fill_bucket(f, self, p->bucket);
    }
    return true;
}

static double sum_of_costs(const filling *f)
{
    double sum = 0;

    for (size_t b = 0; b < BUCKET_COUNT; b++)
        sum += f->costs[b];
    return sum;
}

/* --- making them --- */

static void set_bytes(bucket_masks *masks, const piece *p)
{
    const unsigned char *bytes = (const unsigned char *)&p->bytes;

    for (size_t i = 0; i < PIECE_LENGTH; i++)
        for (size_t c = 0; c < sizeof(masks->bytes[i]); c++)
            if (with_bit((char)c) == bytes[i])
                masks->bytes[i][c] |= (unsigned char)(1 << p->bucket);
}

static void set_bytes_of_escapes(bucket_masks *masks)
{
    masks->bytes[0]['\\'] |= 1 << ESCAPE_BUCKET;
    masks->bytes[1]['u'] |= 1 << ESCAPE_BUCKET;
    masks->bytes[2]['0'] |= 1 << ESCAPE_BUCKET;
    masks->bytes[2]['2'] |= 1 << ESCAPE_BUCKET;
}

static void set_halves(bucket_masks *masks, const halves *h, size_t bucket)
{
    for (size_t half = 0; half < 16; half++) {
        for (size_t i = 0; i < PIECE_LENGTH; i++)
            masks->low[i][half] |= (unsigned char)((h->of[i] >> half & 1) << bucket);
        masks->high[half] |= (unsigned char)((h->of[PIECE_LENGTH] >> half & 1) << bucket);
    }
}

static int compare_buckets(const void *left, const void *right)
{
    const piece *a = left, *b = right;

    return (a->bucket > b->bucket) - (a->bucket < b->bucket);
}

static void sort_pieces(buckets *self)
{
    size_t count = self->phrases->count;

    qsort(self->pieces, count, sizeof(piece), compare_buckets);
    for (size_t i = 0; i < count; i++)
        self->first[self->pieces[i].bucket + 1]++;
    for (size_t b = 0; b < BUCKET_COUNT; b++)
        self->first[b + 1] += self->first[b];
}

static void finish(buckets *self, const filling *f)
{
    for (size_t b = 0; b < BUCKET_COUNT; b++)
        set_halves(&self->masks, &f->halves[b], b);
    set_bytes_of_escapes(&self->masks);
    for (size_t i = 0; i < self->phrases->count; i++)
        set_bytes(&self->masks, &self->pieces[i]);
    self->in_vain = sum_of_costs(f) * 1000 / PLACES;
    sort_pieces(self);
}

static bool fill(buckets *self)
{
    filling *f = calloc(1, sizeof(*f));
    sample_places *places = sample_places_new();
    bool done = false;

    if (f != NULL && places != NULL) {
        f->places = places;
        f->halves[ESCAPE_BUCKET] = halves_of_escapes();
        done = choose_all(f, self);
    }
    if (done)
        finish(self, f);
    free(places);
    free(f);
    return done;
}

buckets *buckets_new(const phrase_set *phrases)
{
    buckets *self = calloc(1, sizeof(*self) + phrases->count * sizeof(piece));

    if (self == NULL)
        return NULL;
    self->phrases = phrases;
    if (fill(self))
        return self;
    free(self);
    return NULL;
}

void buckets_free(buckets *self)
{
    free(self);
}

const bucket_masks *buckets_get_masks(const buckets *self)
{
    return &self->masks;
}

double buckets_places_in_vain(const buckets *self)
{
    return self->in_vain;
}

/* --- looking at a place --- */

/* The buckets that the bytes there may belong to. */
static unsigned buckets_at(const buckets *self, text t, size_t at)
{
    unsigned found = 0xFF;

    for (size_t i = 0; i < PIECE_LENGTH; i++)
        found &= self->masks.bytes[i][t.bytes[at + i] & 127];
    return found;
}

/* As a piece has them; 0 behind the text. */
static uint64_t bytes_at(text t, size_t at)
{
    size_t left = t.length - at;
    uint64_t bytes = 0;

    if (left >= sizeof(bytes))
        memcpy(&bytes, t.bytes + at, sizeof(bytes)); /* one load, as nearly always */
    else
        memcpy(&bytes, t.bytes + at, left);
    return bytes | 0x2020202020202020;
}

static bool is_in_bucket(const buckets *self, text t, size_t at, size_t bucket, size_t *hit)
{
    uint64_t bytes = bytes_at(t, at);

    for (size_t i = self->first[bucket]; i < self->first[bucket + 1]; i++) {
        const piece *p = &self->pieces[i];

        if ((bytes & p->mask) == p->bytes &&
            phrase_set_is_around(self->phrases, t, p->anchor, at, hit))
            return true;
    }
    return false;
}

size_t buckets_check(const buckets *self, text t, size_t at)
{
    unsigned found = buckets_at(self, t, at);
    size_t hit;

    if ((found & 1u << ESCAPE_BUCKET) && phrase_set_wants_escape(self->phrases, t, at, &hit))
        return hit;
    for (found &= ~(1u << ESCAPE_BUCKET); found != 0; found &= found - 1)
        if (is_in_bucket(self, t, at, (size_t)__builtin_ctz(found), &hit))
            return hit;
    return t.length;
}

/* The one exchange between a worker and the control plane, about one handle that has one bearer after the other.
 *
 * Messages are lost, late and delivered twice; orders stay in hand as long as they like and act until they return. With RESTART the worker
 * begins anew, with WIPE on an empty disk; with RESTORE the database becomes an older copy of itself, and an operator accepts that.
 * Names are those of the code and of the tables; README.md says where they are, and what is left out.
 *
 *   F1        no order acts on a bearer whose owner lives: proctype destroyer
 *   F3        a row is forgotten only when its bearer is not on the machine: forget()
 *   missing   no row is judged missing whose bearer is there: sync()
 *   arrives   some syncs after the last fault, what nobody wants is gone and forgotten, and what somebody wants is there: proctype quiet

check:
  scope messages: SYNCS=5
  scope restarts: SYNCS=4 RESTART
  scope restores: SYNCS=4 RESTORE
  large restarts: SYNCS=5 RESTART
  large wiped-disks: SYNCS=4 RESTART WIPE
  large restores: SYNCS=6 RESTORE
  broken JUDGE_LATE: SYNCS=4: missing is judged by an inventory that is older than the row
  broken ACK_ABOVE: SYNCS=4: an acknowledgement counts for a mark above as_of
  broken IGNORE_HAND: SYNCS=4: a row is forgotten while its order is in hand, and the handle used again
  broken OLDER_ANSWER: SYNCS=5: orders are taken from the answer to an earlier sync
  broken NO_AMNESIA: SYNCS=5 RESTORE: a restored database is believed, and what it does not know destroyed
  broken KEEP_CREATING: SYNCS=4 RESTORE: what a restored database believes to be in the making is overdue
  broken FORGET_IN_HAND: SYNCS=6 RESTORE: a missing row is forgotten while an order for its handle is in hand
 */
#ifndef SYNCS
#define SYNCS 5      /* of the worker before the faults end */
#endif
#ifndef BEARERS
#define BEARERS 2
#endif

mtype = { none, creating, created, destroying };            /* the row */
mtype = { idle, queued, running, acted };                   /* the order in hand */

typedef Database {
  mtype row = none;
  byte bearer;                  /* ghost: which one the row is about */
  byte change, mark;            /* of the row */
  bool present, in_hand, missing, adopted;
  bool unknown, since;          /* an entry among the unknowns, and whether its grace runs */
  byte appeared;                /* the entry's change number */
  byte high;                    /* the worker's high-water mark */
  byte session, sequence, closed;  /* closed: the last sequence of the former session */
  byte lineage = 1;
  bool anew, adopts
}
Database db, copy;

typedef Request { byte session, sequence, as_of, listed; bool done, in_hand; byte lineage, quoted, number }  /* the last three: `answered` */
typedef Answer { byte session, sequence, high; bool order, fenced; byte lineage }
Request request[2];             /* on their way: of odd and even sequences, any number of times */
Answer answer[2];

byte bearer;                    /* the last that was made */
byte making;                    /* the bearer whose client has not said yet that it is there */
byte thing;                     /* on the machine: the bearer, or nothing */
bool live[BEARERS + 1];         /* has an owner that lives */
mtype hand = idle;
byte hand_mark;
bool result;                    /* of an order that has returned */
byte result_mark, carried_by;
byte session = 1, sequence, high, lineage, quoted, number;  /* of the worker; the last three are in its Memory */
bool blind;                     /* ghost: in hand when the loss was accepted, and nothing in the database says so */
bool is_listing;
bool regressed, wiped, accepted, copied, restored, calm;
hidden byte as_of;
hidden byte opens, counts, changed;

/* F3. What an accepted loss of the database makes it forget is another matter. */
inline forget() {
  assert(thing == 0 || thing != db.bearer);
  db.row = none; db.bearer = 0; db.change = 0; db.mark = 0; db.present = false; db.in_hand = false; db.missing = false; db.adopted = false
}

/* admit() in fence.cpp: 'counts', or a fence by lineage, or nothing at all (sequence, session). */
#define IS_OLD(r) (r.session < db.session || (r.session == db.session && r.sequence <= db.sequence))
#define IS_REPLACED(r) (r.lineage != 0 && r.lineage < db.lineage)
#define KNOWN(r) (r.quoted == db.session -> db.sequence : (r.quoted < db.session -> db.closed : 0))
#ifdef NO_AMNESIA
#define HAS_FORGOTTEN(r) false
#else
#define HAS_FORGOTTEN(r) (!IS_REPLACED(r) && ((r.lineage != 0 && KNOWN(r) < r.number) || (db.session != 0 && !db.anew && r.as_of > db.high)))
#endif

/* Exchange::run(): one transaction. */
inline sync(r, a) {
  opens = (r.session != db.session);
  a.session = r.session; a.sequence = r.sequence; a.lineage = db.lineage; a.order = false; a.high = 0; a.fenced = true; counts = false;
  if
  :: HAS_FORGOTTEN(r) -> regressed = true
  :: !HAS_FORGOTTEN(r) && (db.anew || IS_REPLACED(r)) && r.as_of != 0
  :: opens && wiped && !accepted && r.session == 2
  :: else -> counts = true
  fi;
  if
  :: counts ->
     a.fenced = false; changed = false;
     as_of = (opens -> 0 : r.as_of);
     if :: opens -> db.closed = db.sequence; db.in_hand = false :: else fi;
     db.session = r.session; db.sequence = r.sequence;
     /* apply_results() */
#ifdef ACK_ABOVE
     if :: r.done && !r.in_hand && db.row == destroying ->
#else
     if :: r.done && !r.in_hand && db.row == destroying && db.mark <= as_of ->
#endif
        if :: db.present -> db.unknown = true; db.since = false; db.appeared = db.high + 1 :: else fi;
        forget(); changed = true
     :: else
     fi;
     if :: db.row != none -> db.in_hand = r.in_hand :: else fi;
     /* reconcile(): what appears and vanishes, then every rule about absence at as_of */
     if
     :: r.listed && db.row != none -> db.present = true; db.missing = false
     :: r.listed && db.row == none && db.adopts ->
        db.row = created; db.bearer = r.listed; db.adopted = true; db.present = true; db.change = db.high + 1; changed = true
     :: r.listed && db.row == none && !db.adopts && !db.unknown -> db.unknown = true; db.since = false; db.appeared = db.high + changed
     :: r.listed && db.row == none && !db.adopts && db.unknown
     :: !r.listed -> db.present = false; db.unknown = false; db.since = false; db.appeared = 0
     fi;
     if
#ifdef JUDGE_LATE
     :: db.row == created && !db.present ->
#else
     :: db.row == created && !db.present && db.change <= as_of ->
#endif
        assert(thing == 0 || thing != db.bearer);
        db.missing = true
#ifdef IGNORE_HAND
     :: db.row == destroying && !db.present && db.mark <= as_of -> forget(); changed = true
#else
     :: db.row == destroying && !db.present && db.mark <= as_of && !db.in_hand -> forget(); changed = true
#endif
     :: else
     fi;
     if :: db.unknown && db.appeared <= as_of -> db.since = true :: else fi;
     if :: db.anew && db.row == none && (r.in_hand || r.done) -> blind = true :: else fi;
     db.high = db.high + changed; db.anew = false; db.adopts = false;
     a.high = db.high; a.order = (db.row == destroying && !db.in_hand)
  :: else
  fi;
  as_of = 0; opens = false; counts = false; changed = false
}

#define ARRIVES(n) d_step { request[n].session && !IS_OLD(request[n]) -> sync(request[n], answer[n]) }
proctype network() {
end:
  do
  :: ARRIVES(0)
  :: ARRIVES(1)
  od
}

#ifdef FORGET_IN_HAND
#define MAY_FORGET true
#else
#define MAY_FORGET !db.in_hand
#endif
#define MAY_CREATE (!restored || (db.lineage == 2 && !db.anew && !(blind && (hand != idle || result))))

/* The passes: mark-orphans, creating-deadline with mark-failed, unknown, missing; graces are over at any moment, deadlines when the client
 * has done with it. */
#define IS_OVERDUE (db.row == creating && making != db.bearer)
#define IS_ORPHAN (db.row == created && !db.adopted && !live[db.bearer])
#define IS_STRANGER (db.row == none && db.unknown && db.since)
#define IS_LOST (db.row == created && db.missing && MAY_FORGET)
proctype collectors() {
end:
  do
  :: d_step { IS_ORPHAN || IS_OVERDUE ->
       db.row = destroying; db.high++; db.mark = db.high; db.change = db.high; db.missing = false }
  :: d_step { IS_STRANGER ->
       db.row = destroying; db.bearer = thing; db.high++; db.mark = db.high; db.change = db.high; db.present = true; db.unknown = false;
       db.since = false; db.appeared = 0 }
  :: d_step { IS_LOST -> forget(); db.high++ }
  od
}

/* Who makes things: a row, the thing, the word that it is there; later its owner is released. */
proctype client() {
end:
  do
  :: d_step { bearer < BEARERS && db.row == none && !calm && MAY_CREATE ->
       bearer++; live[bearer] = true; making = bearer;
       db.row = creating; db.bearer = bearer; db.high++; db.change = db.high; db.mark = 0; db.present = db.unknown; db.unknown = false;
       db.since = false }
     if
     :: d_step { thing == 0 -> thing = bearer }
        d_step {
          if :: db.row == creating && db.bearer == bearer -> db.row = created; db.high++; db.change = db.high :: else fi;
          making = 0
        }
        live[bearer] = false
     :: d_step { thing != 0 ->  /* somebody else's is there: what a failed create may have left is destroyed */
          live[bearer] = false; making = 0;
          if
          :: db.row == creating && db.bearer == bearer -> db.row = destroying; db.high++; db.change = db.high; db.mark = db.high
          :: else
          fi }
     fi
  od
}

/* Agent::begin_anew() */
inline begin_anew() { if :: hand == queued -> hand = idle :: else fi; hand_mark = 0; result_mark = 0; high = 0 }

/* Agent::take() of the answer to the latest sync. */
inline take(a) {
  if
  :: a.fenced -> begin_anew()
  :: !a.fenced && lineage != 0 && lineage != a.lineage -> begin_anew(); lineage = a.lineage; quoted = session; number = a.sequence
  :: !a.fenced && (lineage == 0 || lineage == a.lineage) ->
     lineage = a.lineage; quoted = session; number = a.sequence; high = a.high;
     if :: result && carried_by == a.sequence -> result = false; carried_by = 0; result_mark = 0 :: else fi;
     if :: a.order && hand == idle -> hand = queued; hand_mark = a.high :: else fi
  fi
}

#ifdef OLDER_ANSWER
#define IS_MINE(a) (a.session == session && a.sequence != 0)
#else
#define IS_MINE(a) (a.session == session && a.sequence == sequence)
#endif
#define SLOT (sequence & 1)
#define IS_OTHERS_TURN (hand != idle || regressed || wiped != accepted || IS_ORPHAN || IS_OVERDUE || IS_STRANGER || IS_LOST)
#define IS_UNSETTLED (db.row == destroying || db.unknown || result || db.anew || (db.row == none) != (thing == 0))

/* Agent: lists, syncs, takes the answer or gives up on it. */
proctype worker() {
  byte listed;
end:
  do
  :: sequence < SYNCS || (calm && sequence < SYNCS + 8 && IS_UNSETTLED && !IS_OTHERS_TURN) ->
     d_step { listed = thing; is_listing = true }
     d_step {
       sequence++; is_listing = false;
       request[SLOT].session = session; request[SLOT].sequence = sequence; request[SLOT].as_of = high; request[SLOT].listed = listed;
       request[SLOT].done = (result && result_mark <= high); request[SLOT].in_hand = (hand != idle || (result && result_mark > high));
       if :: result && result_mark <= high -> carried_by = sequence :: else fi;
       request[SLOT].lineage = lineage; request[SLOT].quoted = quoted; request[SLOT].number = number;
       listed = 0
     }
     if
     :: d_step { IS_MINE(answer[SLOT]) -> take(answer[SLOT]) }
#ifdef OLDER_ANSWER
     :: d_step { IS_MINE(answer[1 - SLOT]) -> take(answer[1 - SLOT]) }
#endif
     :: !calm -> skip
     fi
#ifdef RESTART
  :: d_step { session == 1 && !calm ->
       session = 2; sequence = 0; high = 0; result = false; result_mark = 0; carried_by = 0; hand_mark = 0;
       hand = idle }
#ifdef WIPE
     if :: d_step { wiped = true; thing = 0; lineage = 0; quoted = 0; number = 0 } :: skip fi
#endif
#endif
  od
}

/* Destroyer: an order acts once or more often before it returns. */
proctype destroyer() {
end:
  do
  :: d_step { hand == queued -> hand = running }
  :: d_step { hand == running || (hand == acted && thing != 0) ->
       assert(thing == 0 || !live[thing]);
       thing = 0; hand = acted }
  :: d_step { hand == acted -> hand = idle; result = true; result_mark = hand_mark; hand_mark = 0; carried_by = 0 }
  od
}

/* Backups, and the operators. That a loss can be noticed, the worker must have heard of something since the copy. */
#define IS_NOTICEABLE (quoted > copy.session || (quoted == copy.session && number > copy.sequence))
#define IS_SAME (copy.row == none || copy.row == destroying || copy.bearer == bearer)
proctype operators() {
end:
  do
#ifdef RESTORE
  :: d_step { !copied && !calm -> copied = true;
       copy.row = db.row; copy.bearer = db.bearer; copy.change = db.change; copy.mark = db.mark; copy.present = db.present;
       copy.in_hand = db.in_hand; copy.missing = db.missing; copy.unknown = db.unknown; copy.since = db.since;
       copy.appeared = db.appeared; copy.high = db.high; copy.session = db.session; copy.sequence = db.sequence; copy.closed = db.closed }
  :: d_step { copied && !restored && !calm && making == 0 && !is_listing && IS_NOTICEABLE && IS_SAME -> restored = true;
       db.row = copy.row; db.bearer = copy.bearer; db.change = copy.change; db.mark = copy.mark; db.present = copy.present;
       db.in_hand = copy.in_hand; db.missing = copy.missing; db.unknown = copy.unknown; db.since = copy.since;
       db.appeared = copy.appeared; db.high = copy.high; db.session = copy.session; db.sequence = copy.sequence; db.closed = copy.closed;
       request[0].session = 0; request[1].session = 0; answer[0].session = 0; answer[1].session = 0;
       copy.row = none; copy.bearer = 0; copy.change = 0; copy.mark = 0; copy.high = 0; copy.sequence = 0 }
  :: d_step { regressed ->  /* accept_lineage(), with --unknown adopt */
       if :: answer[0].sequence == request[0].sequence || request[0].sequence < sequence -> request[0].session = 0 :: else fi;
       if :: answer[1].sequence == request[1].sequence || request[1].sequence < sequence -> request[1].session = 0 :: else fi;
       regressed = false; db.lineage++; db.anew = true; db.adopts = true; db.high++; db.unknown = false; db.since = false; db.appeared = 0;
       if
       :: db.row == destroying ->
          db.row = none; db.bearer = 0; db.change = 0; db.mark = 0; db.present = false; db.in_hand = false
#ifndef KEEP_CREATING
       :: db.row == creating -> db.row = created; db.change = db.high
#endif
       :: else
       fi }
#endif
#ifdef WIPE
  :: wiped && !accepted -> accepted = true
#endif
  :: false
  od
}

proctype quiet() {
  timeout -> calm = true;
  timeout ->
#if !defined(NO_AMNESIA) && !defined(OLDER_ANSWER)
  assert(hand == idle && db.row != destroying && !db.unknown);
  assert((db.row == none) == (thing == 0));
  assert(thing == 0 || live[thing] || db.adopted)
#else
  skip  /* shown by F1 */
#endif
}

init { atomic { run network(); run collectors(); run client(); run worker(); run destroyer(); run operators(); run quiet() } }

/* Taking, reserving, and the takeover of what the dead had on their lists.
 *
 * Without CLEANERS: drives take segment S out of queue A and hand it back. With CLEANERS: cleaners reserve A, mark R and let go of both.
 * Agent 0 and the collector 1 may be slow or die anywhere; collector 2 takes over from both, agent 3 does the same as agent 0 and lives. Each
 * step is one call to the store. Names are those of the code; README.md says where they are, and what is left out.
 *
 *   A1       what is a queue's has an entry there, what is an agent's is on the list of one that exists: inspect(), after every write
 *   fenced   no guarded write of an agent whose object is gone is accepted: written()
 *   A3       a reservation is lost only by who was collected; none of an agent that is gone is left but by a late creation

check:
  scope drives: ROUNDS=1
  scope cleaners: CLEANERS
  scope late-writes: ALONE WIRE ROUNDS=3
  large drives: ROUNDS=2
  large late-writes: WIRE
  broken READ_AFTER_OWN: ROUNDS=1: the version is read after the name was recorded
  broken NO_REWRITE: ROUNDS=1: a collector drops a name without writing the object anew
  broken BORROW_ENTRY: ROUNDS=1: what is put back goes by an entry that is there, not by one of its own
  broken DROP_ANY: ROUNDS=1: a taker drops entries by which it did not take
  broken DROP_FIRST: ROUNDS=1: a collector drops a name before it has settled it
  broken OWN_BY_MEMORY: ALONE ROUNDS=2: a name that is on the list already is not proved again
  broken LET_GO_IN_DOUBT: ALONE WIRE: a name is let go while a write of unknown outcome is under way
  broken RELEASE_ANY: CLEANERS: a collector clears whatever reservation it finds
  broken RELEASE_BY_NAME: CLEANERS: a collector clears the reservation of the dead agent's next epoch
  broken RELEASE_ONE: CLEANERS: a collector releases the to-transfer queue only
 */
#ifndef ROUNDS
#define ROUNDS 1      /* of agent 0 */
#endif

#define A 4          /* queue/V1.t; owners below are agents */
#define DONE 5       /* S was worked off and removed */
#define NONE 9       /* collected by nobody, reserved by nobody */
#define GONE 8       /* the agent's object was removed */

#define BIT(n) (1 << (n))
#define SEGMENT 1    /* on lists: the segment, the two queues, and agents */
#define QUEUES 6
#define AGENT(a) BIT(3 + (a))
#define K1 1         /* collectors */
#define K2 2

byte owner = A, ver = 1;        /* of S; no version is used twice */
short entry = 1;                /* of A for S: the versions that its entries expect, a bit each */
byte late;                      /* a write by agent 0 at that version is under way */
byte reserved[2] = NONE;        /* of A and of its to-report queue, R */
byte qread[2];                  /* who has read the queue at its present version, a bit each: nobody else's write is accepted */
bool has_r = true, created_late;
byte collector[4] = NONE;       /* of the agents, with their lists, and who has read their objects at the present versions */
byte held[4];
byte aread[4];

inline inspect() {
  assert(owner != A || entry);
  assert(owner >= A || (collector[owner] != GONE && (held[owner] & SEGMENT)));
  assert(ver < 15)
}
inline written() { assert(collector[me] != GONE) }

/* Agent::own(): always a write, accepted only while nobody has collected the agent. */
inline own(names) {
  if
#ifdef OWN_BY_MEMORY
  :: (held[me] & (names)) == (names) -> skip
#endif
  :: d_step { collector[me] == NONE -> held[me] = held[me] | (names); aread[me] = 0 }
  :: collector[me] != NONE -> goto fenced
  fi
}

/* The owner write of S, at the version `at`. */
inline write(at, to) {
  d_step { ok = (owner != DONE && ver == at); if :: ok -> owner = to; ver++; inspect() :: else fi }
}

/* disperse() of what is in hand: announce in A, then the owner. */
inline hand_back(at) {
#ifdef BORROW_ENTRY
  d_step { if :: entry -> skip :: else -> entry = BIT(at) fi }
#else
  d_step { entry = entry | BIT(at) }
#endif
  write(at, A)
}

/* take(), then the work; then S is handed back, or done. */
proctype drive(byte me) {
  byte v, round; short e; bool ok;
    do
    :: round < (me == 0 -> ROUNDS : 1) ->
#ifdef READ_AFTER_OWN
       own(SEGMENT);
#endif
       if
       :: d_step { entry && owner == A -> v = ver; e = entry }
       :: d_step { entry && owner != A -> entry = (owner == DONE -> 0 : entry & BIT(ver)) } goto next
       :: entry == 0 -> goto next
       fi;
#ifndef READ_AFTER_OWN
       own(SEGMENT);
#endif
       if
       :: write(v, me)
#ifdef WIRE
       :: me == 0 && round == 0 -> late = v;
#ifdef LET_GO_IN_DOUBT
          d_step { held[0] = held[0] & ~SEGMENT } goto next
#else
          write(v, me); ok = (owner == me)
#endif
#endif
       fi;
       if
       :: ok -> d_step {
#ifdef DROP_ANY
            entry = 0;
#else
            entry = entry & ~e;
#endif
            inspect()
          }
          do
          :: d_step { owner == me -> v = ver }
             if :: write(v, DONE) :: own(SEGMENT); hand_back(v) fi
          :: owner != me -> break
          :: me == 0 -> goto fenced  /* dies with S in hand */
          od
       :: else
       fi;
next:
       atomic { round++; v = 0; e = 0; ok = false }
    :: round == (me == 0 -> ROUNDS : 1) -> break
    od;
fenced:
  atomic { v = 0; round = 0; e = 0; ok = false }
}

/* A call that arrives when its sender does not expect it any more. */
proctype wire() {
end:
  do
  :: d_step { late -> if :: owner == A && ver == late -> owner = 0; ver++; inspect() :: else fi; late = 0 }
  od
}

/* edit_queue() of one queue q: 0 is A, 1 is R. Where its answer needs another call, the version read guards the write. */
#define MAY_TAKE(q) (q == 1 || reserved[0] == NONE || collector[reserved[0]] == GONE)
inline reserve(q) {
#ifdef READ_AFTER_OWN
  own(QUEUES);
#endif
  if
  :: d_step { MAY_TAKE(q) -> qread[q] = qread[q] | BIT(me); was = (q == 0 || has_r) }
  :: !MAY_TAKE(q) -> goto fenced
  fi;
#ifndef READ_AFTER_OWN
  own(QUEUES);
#endif
  d_step {
    ok = (qread[q] & BIT(me)) != 0;
    if
    :: ok -> reserved[q] = me; qread[q] = 0; if :: was -> written() :: else -> has_r = true; created_late = (collector[me] != NONE) fi
    :: else
    fi;
    qread[q] = qread[q] & ~BIT(me); was = false
  }
}

/* QueueCleaner: reserve(), mark(), the work, let_go(). A is free, or of an agent that is not there (may_take()). */
proctype cleaner(byte me) {
  bool ok, was;
    do
    :: reserve(0);
       if :: ok -> break :: else fi
    od;
    do
    :: reserved[1] != me -> reserve(1)
    :: reserved[1] == me -> break
    :: me == 0 -> goto fenced  /* dies, with one reservation or both */
    od;
    if
    :: d_step { reserved[0] == me -> reserved[0] = NONE; qread[0] = 0 }
    :: reserved[0] != me -> assert(collector[me] != NONE)
    fi;
    d_step { if :: reserved[1] == me -> reserved[1] = NONE; qread[1] = 0 :: else fi }
fenced:
  atomic { ok = false; was = false }
}

/* Takeover::take(): reads, records, writes itself into the object at the version read. A holder that is there keeps it. */
#define IS_DUE(d) (collector[d] == NONE || collector[d] == me || (collector[d] < GONE && collector[collector[d]] == GONE))
inline take(d) {
  d_step {
    (d == 0 || me == K2) && IS_DUE(d) ->
    aread[d] = aread[d] | BIT(me); ok = (collector[d] == me)
  }
  if
  :: !ok ->
     own(AGENT(d));
     d_step { if :: aread[d] & BIT(me) -> collector[d] = me; aread[d] = BIT(me); ok = true; written() :: else fi }
  :: ok
  fi
}

/* Takeover::settle_slice(), of one name each: read, prove that d is still one's own, settle by a write at the version read. */
inline prove(d) { ok = (aread[d] & BIT(me)) != 0 }

inline settle_segment(d) {
  d_step { v = ver; o = owner }
  prove(d);
  if
  :: ok && o == d -> own(SEGMENT); hand_back(v)
  :: ok && o != d && o != DONE ->
#ifdef NO_REWRITE
     skip
#else
     write(v, o)
#endif
  :: !ok || o == DONE
  fi;
  d_step { v = 0; o = 0 }
}

inline settle_queue(d, q) {
  d_step { qread[q] = qread[q] | BIT(me); o = (q == 0 || has_r -> reserved[q] : DONE) }
  prove(d);
  d_step {
    if
    :: ok && o != DONE && (qread[q] & BIT(me)) ->
#ifndef NO_REWRITE
       qread[q] = 0;
#endif
#ifdef RELEASE_ANY
       reserved[q] = NONE
#elif defined(RELEASE_BY_NAME)
       reserved[q] = (o == 0 || o == 3 -> NONE : o)
#elif defined(RELEASE_ONE)
       reserved[q] = (o == d && q == 0 -> NONE : o)
#else
       reserved[q] = (o == d -> NONE : o)
#endif
    :: ok && o != DONE && !(qread[q] & BIT(me)) -> ok = false
    :: else
    fi;
    qread[q] = qread[q] & ~BIT(me); o = 0
  }
}

/* inherit(): an agent on the list of the dead collector is rewritten, and goes on to this one if that had begun with it. */
inline inherit(d, a) {
  d_step { aread[a] = aread[a] | BIT(me); o = collector[a] }
  prove(d);
  if
  :: ok && o != GONE ->
     if :: o == d -> own(AGENT(a)) :: else fi;
     d_step {
       ok = (aread[a] & BIT(me)) != 0;
       if :: ok -> aread[a] = 0; collector[a] = (o == d -> me : o) :: else fi
     }
  :: !ok || o == GONE
  fi;
  o = 0
}

inline bury(d) { d_step { if :: aread[d] & BIT(me) -> collector[d] = GONE; held[d] = 0; aread[d] = 0; inspect() :: else fi } }

/* Takeover::run(): whatever agent is due, as often as it takes. The first collector takes over from agent 0, the second from both. */
proctype collecting(byte me) {
  byte v, o; bool ok;
    do
    :: take(0);
#ifdef DROP_FIRST
       d_step { if :: ok -> held[0] = held[0] & ~SEGMENT :: else fi }
#endif
       if :: ok && (held[0] & SEGMENT) -> settle_segment(0) :: else fi;
       if :: ok && (held[0] & QUEUES) -> settle_queue(0, 0) :: else fi;
       if :: ok && (held[0] & QUEUES) -> settle_queue(0, 1) :: else fi;
       if :: ok -> bury(0) :: else fi;
       ok = false
    :: take(K1);
       if :: ok && (held[K1] & AGENT(0)) -> inherit(K1, 0) :: else fi;
       if :: ok && (held[K1] & SEGMENT) -> settle_segment(K1) :: else fi;
       if :: ok -> bury(K1) :: else fi;
       ok = false
    :: collector[0] == GONE && (me == K1 || collector[K1] == GONE) -> break
    od;
fenced:
  atomic { v = 0; o = 0; ok = false }
}

/* When nothing moves any more. */
proctype quiet() {
  timeout ->
  inspect();
  assert(owner == A || owner == DONE);
  assert(collector[0] == GONE && collector[K1] == GONE && collector[K2] == NONE && collector[3] == NONE);
  assert(reserved[0] == NONE && (reserved[1] == NONE || created_late))
}

init {
  atomic {
#ifdef ALONE
    collector[K1] = GONE;
#endif
#ifdef CLEANERS
    if :: has_r = false :: skip fi;
    run cleaner(0); run cleaner(3);
#else
    run drive(0);
#ifndef ALONE
    run drive(3);
#endif
#endif
#ifdef WIRE
    run wire();
#endif
#ifndef ALONE
    run collecting(K1);
#endif
    run collecting(K2);
    run quiet()
  }
}

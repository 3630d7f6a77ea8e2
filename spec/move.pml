/* Moving a segment from queue to queue, whole or in parts, while agents are collected, drives take and a destination leaves service.
 *
 * Segment S with two requests waits in queue A, whose tape has left service. Maintenance processes clean A; each may be collected by a later
 * one at any moment, whether it has died or is only slow. Drives take what they find. With LEAVES, B leaves service on the way.
 * Each step is one call to the store. Names are those of the code; README.md says where they are, and what is left out.
 *
 *   A1, A2    each request is in one place that counts, and what is a queue's has an entry there: inspect(), after every write
 *   garbage   a child that no commit has named is never a queue's or a drive's: the same
 *   ends      who empties a queue meets no more than was there when it reserved the queue: proctype leaver
 *   arrives   when nothing moves any more, A is empty, nothing is pending, no entry is dead: proctype quiet

check:
  scope taken-over: DRIVES=2
  scope leaving: LEAVES DRIVES=1
  scope second-attempt: SECOND PATIENT DRIVES=1
  large leaving-again: SECOND PATIENT LEAVES DRIVES=1
  large two-crashes: LEAVES DRIVES=2 CRASHES=2
  broken OWNER_FIRST: DRIVES=2: the owner is written before the entry
  broken ADOPT_UNNAMED: SECOND PATIENT: a child is completed that its source does not name (a)
  broken FORGET_EARLY: DRIVES=2: the source stops naming children that are pending (a)
  broken DROP_INCOMING: DRIVES=2: an entry is dropped while its owner write may come (b)
  broken NO_EXPECTS: DRIVES=2: nobody can tell the late entry of a slow sender from one that is incoming (c)
  broken IGNORE_RESERVATION: LEAVES: a queue under cleanup takes entries (d)
  broken CHILD_FIRST: DRIVES=2: a child is discarded before its source is written anew (e)
  broken DROP_UNPROVEN: LEAVES: an entry is dropped although the guarded removal of its child was refused (f)
  broken COMMIT_UNGUARDED: DRIVES=2: a split commits whatever became of its source
 */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef DRIVES
#define DRIVES 2
#endif

#define A 0          /* queue/V1.t, to be emptied; B and C are where the requests go */
#define B 1
#define C 2
#define DRIVE 3      /* some drive's agent */
#define SOURCE 4     /* S: of a child that is pending */
#define NOBODY 5     /* of S when it is forwarding and nothing else */
#define ABSENT 6     /* no such object */

#define S 0          /* segments: S, and two children of each of the first two processes; the odd hold request 1, the even request 2 */
#define SEGMENTS 5
#define BIT(n) (1 << (n))
#define QUEUE_A 32   /* its name on a list; the bits below are the segments */
#define CHILD1 (1 + 2 * me)
#define CHILD2 (2 + 2 * me)

#define NONE 9       /* collected by nobody, reserved by nobody */
#define GONE 8       /* the agent's object was removed */
#define LEAVER 7     /* cleans B */
#define LAST 2       /* the maintenance process that does not die */

byte owner[SEGMENTS] = ABSENT;
byte ver[SEGMENTS];             /* no version is used twice */
byte left = 3;                  /* the requests in S */
byte named;                     /* the children that S names: Segment.forwarded */
short entry[15];                /* of each queue and segment: the versions that entries expect, a bit each */
byte reserved[3] = NONE;
byte collector[3] = NONE;       /* of the agents */
byte held[3];                   /* their lists */
bool dead[3], calm;
byte ended;                     /* processes */
byte committed;                 /* ghost: what some commit has named */
hidden byte child;

#define ENTRY(q, s) entry[(q) * SEGMENTS + (s)]
#define IS_EMPTY(q) (!ENTRY(q, 0) && !ENTRY(q, 1) && !ENTRY(q, 2) && !ENTRY(q, 3) && !ENTRY(q, 4))
#define IS_TAKEN(s) (owner[s] <= DRIVE)
#define COUNTS(s) (IS_TAKEN(s) || (owner[s] == SOURCE && (named & BIT(s))))
#define IS_FOUND(s) (owner[s] > C || ENTRY(owner[s], s))
#define IS_PROPER(s) (!IS_TAKEN(s) || (committed & BIT(s)))
#define IS_LISTED(s) ((held[0] | held[1] | held[2]) & BIT(s))
/* standing_of() in queues.cpp: the entries for s in q that nobody's write can make live any more. */
#ifdef NO_EXPECTS
#define DEAD(q, s) (owner[s] == ABSENT -> ENTRY(q, s) : 0)
#elif defined(DROP_INCOMING)
#define DEAD(q, s) (owner[s] == q -> 0 : ENTRY(q, s))
#else
#define DEAD(q, s) (owner[s] == q -> 0 : (owner[s] == ABSENT -> ENTRY(q, s) : ENTRY(q, s) & ~BIT(ver[s])))
#endif

inline inspect() {
  assert((IS_TAKEN(S) && (left & 1)) + COUNTS(1) + COUNTS(3) == 1 && (IS_TAKEN(S) && (left & 2)) + COUNTS(2) + COUNTS(4) == 1);
  assert(IS_FOUND(0) && IS_FOUND(1) && IS_FOUND(2) && IS_FOUND(3) && IS_FOUND(4));
  assert(IS_PROPER(1) && IS_PROPER(2) && IS_PROPER(3) && IS_PROPER(4));
  assert(ver[S] < 15)
}

/* A guarded write of a segment: done only at the version `at`. */
inline write(ok, s, at, to) {
  d_step { ok = (owner[s] != ABSENT && ver[s] == at); if :: ok -> owner[s] = to; ver[s]++; inspect() :: else fi }
}

/* announce(): an edit of the queue; one under cleanup takes nothing. */
inline announce(ok, q, s, at) {
  d_step {
#ifdef IGNORE_RESERVATION
    ok = true;
#else
    ok = (reserved[q] == NONE);
#endif
    if :: ok -> ENTRY(q, s) = ENTRY(q, s) | BIT(at) :: else fi
  }
}

#ifdef ADOPT_UNNAMED
#define PENDING(s) (owner[s] == SOURCE && named)
#else
#define PENDING(s) (owner[s] == SOURCE && (named & BIT(s)))
#endif
#define SOME_PENDING (PENDING(1) || PENDING(2) || PENDING(3) || PENDING(4))

/* A child that S names gets its owner. */
inline finish() {
  d_step {
    SOME_PENDING -> child = (PENDING(1) -> 1 : (PENDING(2) -> 2 : (PENDING(3) -> 3 : 4)));
    owner[child] = (child & 1 -> B : C); ver[child]++; ok = true; inspect()
  }
}

/* finish_splits(): one after the other. */
inline finish_splits() {
  ok = false;
  do
  :: finish()
  :: !SOME_PENDING -> break
  od
}

/* discard_child(): the source is written anew, so that nobody commits from what he read; then the child goes, at the version read. */
inline discard_child(s) {
  d_step { v = ver[s]; ok = (owner[s] == SOURCE) }
  d_step {
    ok = ok && (owner[S] == ABSENT || !(named & BIT(s)));
#ifndef CHILD_FIRST
    if :: ok && owner[S] != ABSENT -> ver[S]++ :: else fi
#endif
  }
  d_step { ok = ok && owner[s] == SOURCE && ver[s] == v; if :: ok -> owner[s] = ABSENT; inspect() :: else fi; v = 0 }
}

/* settle_forwarding(): S stops naming its children when each is its queue's. */
inline settle_forwarding() {
  v = ver[S];
  do
#ifndef FORGET_EARLY
  :: finish()
  :: !SOME_PENDING ->
#else
  ::
#endif
     d_step {
       if
       :: owner[S] != ABSENT && ver[S] == v -> named = 0; ver[S]++; if :: left == 0 -> owner[S] = ABSENT :: else fi; inspect()
       :: else
       fi;
       v = 0
     }
     break
  od
}

/* Agent::own(): a write that is accepted only while nobody has collected the agent. */
inline own(what) {
  if
  :: d_step { collector[me] == NONE -> held[me] = held[me] | (what) }
  :: collector[me] != NONE -> goto fenced
  fi
}

/* ArchiveEstate::settle_segment(), of a name on the list of agent d. Each round begins with the proof that d is still one's own. */
inline settle_segment(s) {
  do
  :: collector[d] == me && (owner[s] == ABSENT || (owner[s] == NOBODY && !named)) -> break
  :: collector[d] == me && s == S && owner[S] != ABSENT && named -> settle_forwarding()
  :: d_step { collector[d] == me && IS_TAKEN(s) && (s != S || !named) -> v = ver[s]; to = owner[s] }
     write(ok, s, v, to);
     if :: ok -> break :: else fi
  :: collector[d] == me && owner[s] == SOURCE ->
     finish_splits();
     if :: !ok -> discard_child(s) :: else fi
  :: collector[d] != me -> goto fenced
  od;
  atomic { v = 0; to = 0; ok = false }
}

/* Takeover::take() and settle(); what d had begun to collect is inherited. How that is done is in take.pml. */
inline collect(agent) {
  if
  :: d_step { collector[me] == NONE ->
       d = agent;
       if :: collector[d] == NONE -> collector[d] = me; if :: d == 1 && collector[0] == 1 -> collector[0] = me :: else fi :: else fi }
  :: collector[me] != NONE -> goto fenced
  fi;
  if
  :: collector[d] == me ->
     d_step { if :: reserved[A] == d -> reserved[A] = NONE :: else fi }
     if :: held[d] & BIT(1 + 2 * d) -> settle_segment(1 + 2 * d); settle_segment(2 + 2 * d) :: else fi;
     if :: held[d] & BIT(S) -> settle_segment(S) :: else fi;
     d_step { if :: collector[d] == me -> collector[d] = GONE; held[d] = 0 :: else fi }
  :: else
  fi;
  d = 0
}

/* move_whole(): entry in the destination, then the owner at the version read. */
inline move_whole(q) {
#ifdef OWNER_FIRST
  write(ok, S, v, q);
  if :: ok -> announce(ok, q, S, v) :: else fi
#else
  announce(ok, q, S, v);
  if :: ok -> write(ok, S, v, q) :: else fi
#endif
}

inline create(s) { d_step { owner[s] = SOURCE; ver[s] = 1; inspect() } }
inline complete(s, to) { d_step { if :: owner[s] == SOURCE && ver[s] == 1 -> owner[s] = to; ver[s]++; inspect() :: else fi } }

/* split(): children, their entries, the commit, their owners; or they go again. */
inline split() {
  create(CHILD1);
  create(CHILD2);
  announce(ok, B, CHILD1, 1);
  if :: ok -> announce(ok, C, CHILD2, 1) :: else fi;
  d_step {
#ifdef COMMIT_UNGUARDED
    ok = ok && owner[S] != ABSENT;
#else
    ok = ok && owner[S] != ABSENT && ver[S] == v;
#endif
    if
    :: ok -> named = named | BIT(CHILD1) | BIT(CHILD2); committed = committed | named; left = 0; owner[S] = NOBODY; ver[S]++; inspect()
    :: else
    fi
  }
  if
  :: ok -> complete(CHILD1, B); complete(CHILD2, C); settle_forwarding(); ok = true
  :: !ok -> complete(CHILD1, ABSENT); complete(CHILD2, ABSENT)
  fi
}

/* A maintenance process: Takeover::run() over former ones, or not yet, then QueueCleaner::run() of A. The last collects everybody. */
proctype maintenance(byte me) {
  byte d, v, to; short e; bool ok, tried;
  {
#ifdef PATIENT
    me != LAST || ended == LAST;
#endif
    if :: me == 1 -> collect(0) :: me == LAST -> collect(1); collect(0) :: me != LAST -> skip fi;
    do
    :: d_step { collector[me] == NONE && reserved[A] == NONE && !IS_EMPTY(A) -> reserved[A] = me; held[me] = held[me] | QUEUE_A }
       do
       :: d_step { reserved[A] == me && ENTRY(A, S) && owner[S] == A -> v = ver[S]; e = ENTRY(A, S) }
          if
          :: me != LAST && !tried -> own(BIT(S) | BIT(CHILD1) | BIT(CHILD2)); split()
          :: !tried -> own(BIT(S)); move_whole(B)
          :: me == LAST || tried -> own(BIT(S)); move_whole(C)
          fi;
          d_step { if :: ok && reserved[A] == me -> ENTRY(A, S) = ENTRY(A, S) & ~e :: else fi; tried = true; v = 0; e = 0; ok = false }
       :: d_step { reserved[A] == me && ENTRY(A, S) && owner[S] != A -> ENTRY(A, S) = ENTRY(A, S) & ~DEAD(A, S) }
       :: d_step { reserved[A] == me && IS_EMPTY(A) -> reserved[A] = NONE; held[me] = held[me] & ~QUEUE_A }
          break
       :: reserved[A] != me -> break
       od
    :: collector[me] != NONE || IS_EMPTY(A) || (me != LAST && reserved[A] != NONE) -> break
    od;
fenced:
    skip
  } unless { dead[me] };
  atomic { d = 0; v = 0; to = 0; e = 0; ok = false; tried = false; ended++ }
}

#define TAKES(n) d_step { reserved[q] == NONE && ENTRY(q, n) && owner[n] == q -> s = n; v = ver[n]; e = ENTRY(q, n) }
#define MEETS_DEAD(n) d_step { reserved[q] == NONE && DEAD(q, n) -> ENTRY(q, n) = ENTRY(q, n) & ~DEAD(q, n) }

/* take() of a drive that lives: reads, writes itself as the owner, drops the entries by which it took. A dead entry stays dead, so that to
 * find and to drop it is one step. */
proctype drive(byte q) {
  byte s, v; short e;
end:
  do
  :: if :: TAKES(S) :: TAKES(q) :: TAKES(q + 2) fi;
     d_step { if :: owner[s] == q && ver[s] == v -> owner[s] = DRIVE; ver[s]++; inspect() :: else -> e = 0 fi }
     d_step { ENTRY(q, s) = ENTRY(q, s) & ~e; s = 0; v = 0; e = 0 }
  :: if :: MEETS_DEAD(S) :: MEETS_DEAD(q) :: MEETS_DEAD(q + 2) fi
  od
}

#define IS_DUE(n) (ENTRY(B, n) && !(seen & BIT(n)))

/* B has left service: QueueCleaner::run() of B by an agent that lives, once at any time, and once when all is calm. Whatever it meets is
 * moved on, dropped as dead, or settled as a stray (settle_stray()). */
proctype leaver() {
  byte s, v, seen, due, passes; short e; bool ok;
end:
  do
  :: d_step { passes <= calm && (!IS_EMPTY(B) || reserved[B] == LEAVER) ->
       reserved[B] = LEAVER; passes++; due = (ENTRY(B, S) != 0) + (ENTRY(B, 1) != 0) + (ENTRY(B, 3) != 0) }
     do
     :: IS_DUE(S) || IS_DUE(1) || IS_DUE(3) ->
        d_step {
          s = (IS_DUE(S) -> S : (IS_DUE(1) -> 1 : 3));
          assert(due > 0);
          due--; seen = seen | BIT(s); v = ver[s]; e = ENTRY(B, s)
        }
        if
        :: owner[s] == B && ver[s] == v -> announce(ok, C, s, v); write(ok, s, v, C)
        :: owner[s] == SOURCE && ver[s] == v ->
           finish_splits();
           if :: !ok && !IS_LISTED(s) -> discard_child(s) :: else fi
        :: else
        fi;
        d_step {
#ifdef DROP_UNPROVEN
          if :: owner[s] == B && !ok -> ENTRY(B, s) = 0 :: else fi;
#endif
          ENTRY(B, s) = ENTRY(B, s) & ~(e & DEAD(B, s));
          s = 0; v = 0; e = 0; ok = false
        }
     :: else ->
        d_step { seen = 0; due = 0; if :: IS_EMPTY(B) -> reserved[B] = NONE :: else fi }
        break
     od
  od
}

/* When nothing moves any more: what a pass of the sweep does about late children and dead entries, and what must hold then. */
proctype quiet() {
  byte s;
  timeout ->
  assert(named == 0);
  d_step {
    for (s : 1 .. 4) { if :: owner[s] == SOURCE -> owner[s] = ABSENT :: else fi }
    for (s : 0 .. 4) { ENTRY(B, s) = ENTRY(B, s) & ~DEAD(B, s); ENTRY(C, s) = ENTRY(C, s) & ~DEAD(C, s) }
    s = 0; calm = true
  }
  timeout ->
  d_step {
    inspect();
    assert(IS_EMPTY(A) && reserved[A] == NONE && reserved[B] == NONE);
    for (s : 0 .. 4) {
      assert(owner[s] == C || owner[s] == DRIVE || owner[s] == ABSENT || owner[s] == B);
#ifdef LEAVES
      assert(owner[s] != B);
#endif
      assert(owner[s] == B || ENTRY(B, s) == 0);
      assert(owner[s] == C || ENTRY(C, s) == 0)
    }
  }
}

/* Processes die at any moment; whether one that has ended is among them makes no difference. */
proctype death() {
  byte deaths;
end:
  do
  :: deaths < CRASHES && !dead[0] -> d_step { dead[0] = true; deaths++ }
#ifdef SECOND
  :: deaths < CRASHES && !dead[1] -> d_step { dead[1] = true; deaths++ }
#endif
  od
}

init {
  atomic {
    owner[S] = A; ver[S] = 1; ENTRY(A, S) = BIT(0);
    run maintenance(0);
#ifdef SECOND
    run maintenance(1);
#endif
    run maintenance(LAST);
    run drive(B);
#if DRIVES > 1
    run drive(C);
#endif
#ifdef LEAVES
    run leaver();
#endif
    run death();
    run quiet()
  }
}
